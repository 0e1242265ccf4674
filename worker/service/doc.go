// Package service runs tasks that coordinators ask for, and gives their rows to whoever reads them.
//
//	start ─▶ query ─▶ task: Inlets ▸ pipelines ▸ Outbox      status, pages, stop, release
//
// All that a query holds on a worker hangs on one entry of the registry: its tasks, their pages and
// spill files, its memory pool. Release takes the entry away and waits until everything is gone. A
// query whose coordinator has not been heard of for a while is released by the worker itself.
package service
