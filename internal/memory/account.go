package memory

// Account is what one owner holds of a pool in several parts, and gives back as a whole. An account
// of no pool counts nothing. It is used by one goroutine at a time.
type Account struct {
	pool     *Pool
	operator string
	bytes    int64
}

// NewAccount opens an account; operator is who errors name. A nil pool is none.
func NewAccount(pool *Pool, operator string) Account {
	return Account{pool: pool, operator: operator}
}

// Grow reserves n bytes more; less than one is none.
func (a *Account) Grow(n int64) error {
	if a.pool == nil || n <= 0 {
		return nil
	}
	if err := a.pool.Reserve(n, a.operator); err != nil {
		return err
	}
	a.bytes += n
	return nil
}

// Resize brings a part of the account from held to now bytes; held is changed where that succeeds.
func (a *Account) Resize(held *int64, now int64) error {
	if a.pool == nil {
		return nil
	}
	if more := now - *held; more > 0 {
		if err := a.Grow(more); err != nil {
			return err
		}
	} else {
		a.pool.Release(-more)
		a.bytes += more
	}
	*held = now
	return nil
}

// Set brings the whole account to n bytes.
func (a *Account) Set(n int64) error {
	held := a.bytes
	return a.Resize(&held, n)
}

// Adopt takes over n bytes that somebody else has reserved of the same pool.
func (a *Account) Adopt(n int64) { a.bytes += n }

// Close gives everything back. The account may be used again.
func (a *Account) Close() {
	if a.pool != nil {
		a.pool.Release(a.bytes)
	}
	a.bytes = 0
}
