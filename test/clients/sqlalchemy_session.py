"""A session of SQLAlchemy 2, over psycopg 2 and psycopg 3: connect, reflect, ORM, server-side cursors, errors."""
import decimal
import sys

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "client_sqlalchemy"
    # Tables have no keys here; the mapper is told which column identifies a row.
    id: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    note: Mapped[str] = mapped_column(sa.String(20))
    amount: Mapped[decimal.Decimal] = mapped_column(sa.Numeric(10, 2))


for driver in ("psycopg2", "psycopg"):
    engine = sa.create_engine(f"postgresql+{driver}://ana@{sys.argv[1]}:{sys.argv[2]}/tarn")
    with engine.begin() as conn:
        conn.execute(sa.text("DROP TABLE IF EXISTS client_sqlalchemy"))
        conn.execute(sa.text("CREATE TABLE client_sqlalchemy (id int, note varchar(20), amount numeric(10,2))"))
    with Session(engine) as session:
        session.add_all(Order(id=i, note=f"n{i}", amount=decimal.Decimal(i) / 4) for i in range(1, 101))
        session.commit()
        assert session.scalar(sa.select(sa.func.sum(Order.amount))) == decimal.Decimal("1262.50")
        found = session.scalars(sa.select(Order).where(Order.note.like("n1%")).order_by(Order.id.desc()).limit(2)).all()
        assert [o.id for o in found] == [100, 19], found

    inspector = sa.inspect(engine)
    assert "client_sqlalchemy" in inspector.get_table_names()
    columns = {c["name"]: str(c["type"]) for c in inspector.get_columns("client_sqlalchemy")}
    assert columns == {"id": "INTEGER", "note": "VARCHAR(20)", "amount": "NUMERIC(10, 2)"}, columns
    assert inspector.get_view_names() is not None and "public" in inspector.get_schema_names()

    with engine.connect() as conn:
        result = conn.execution_options(stream_results=True, max_row_buffer=10).execute(sa.text("SELECT i FROM generate_series(1, 95) g(i)"))
        assert sum(row.i for row in result) == 4560
        try:
            conn.execute(sa.text("SELECT * FROM nowhere"))
            raise SystemExit("no error")
        except sa.exc.ProgrammingError as e:
            assert e.orig.diag.sqlstate == "42P01"
    with engine.begin() as conn:
        conn.execute(sa.text("DROP TABLE client_sqlalchemy"))
    engine.dispose()
