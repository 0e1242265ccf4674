package gossip

// Vanish ends a node as if it had been killed.
func (c *Cluster) Vanish() {
	close(c.stop)
	_ = c.list.Shutdown()
	c.ended.Wait()
}
