package service

// IDs lists the queries with tasks here.
func (w *Worker) IDs() (out []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id := range w.queries {
		out = append(out, id)
	}
	return out
}
