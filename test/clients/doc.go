// Package clients runs sessions of real PostgreSQL clients against a server: psycopg 2 and 3,
// SQLAlchemy over both, and pgjdbc in three modes (psql and pgx have tests of their own in cmd/tarn
// and coordinator/pgwire). Each session connects, lists tables, prepares, pages through a cursor,
// copies, meets an error, and cancels.
//
// install.sh puts the clients into a directory, $TARN_CLIENTS or tarn-clients in the user's cache,
// where they stay. The same scripts run against PostgreSQL, which is how they were checked:
//
//	python psycopg3_session.py HOST PORT
package clients
