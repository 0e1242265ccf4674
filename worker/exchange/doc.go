// Package exchange moves rows between tasks.
//
//	drivers ─▶ Outbox: one stream of pages for each consumer ─▶ (pulled by sequence number) ─▶ Inbox ─▶ drivers
//
// An Outbox is the sink of a task's last pipeline. It keeps pages until their consumer has asked for
// what comes after them, holds the drivers back when too much waits, and keeps everything (on disk if
// need be) when several Exchanges read it at their own pace. An Inbox prefetches the pages of all
// producers within a budget and asks again when a reply is lost; merging, it keeps their order.
package exchange
