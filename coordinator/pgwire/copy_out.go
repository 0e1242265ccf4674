package pgwire

import (
	"context"

	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

func (c *conn) copyOut(ctx context.Context, portal *session.Portal) error {
	return sqlerr.New(sqlerr.FeatureNotSupported, "COPY is not supported")
}

func (c *conn) copyIn(ctx context.Context, portal *session.Portal) error {
	return sqlerr.New(sqlerr.FeatureNotSupported, "COPY is not supported")
}
