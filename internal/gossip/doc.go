// Package gossip finds the nodes of a cluster. Each node tells the others what it is: its role, where
// its RPC is, which plans it understands, whether it takes work. There is no leader and no list to
// maintain: a node that knows one other node soon knows all, and one that dies is soon known to be dead.
//
// The protocol is that of hashicorp/memberlist: SWIM with the suspicion of Lifeguard.
package gossip
