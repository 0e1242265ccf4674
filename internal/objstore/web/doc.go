// Package web reads files of web servers, by http:// and https:// URLs, as objects of a store that
// neither lists nor writes.
//
// A server that answers ranges is asked for those that are wanted, every answer being checked to be of
// one version of the file. What another one sends is copied once to a temporary file of bounded size, and
// read from there.
//
// Addresses decide whom the process speaks to, after names have been resolved and for redirections too:
// link-local ones, where clouds serve their machines' credentials, and, unless Options allow them, those
// of private networks and of the machine itself are refused.
package web
