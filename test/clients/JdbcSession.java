import java.math.BigDecimal;
import java.sql.*;
import java.util.*;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;

/** A session of pgjdbc: prepared statements past the switch to named ones, fetch size, metadata, batches, COPY, errors, cancel. */
public class JdbcSession {
    static void check(boolean ok, Object what) {
        if (!ok) throw new AssertionError(String.valueOf(what));
    }

    public static void main(String[] args) throws Exception {
        for (String mode : new String[] {"", "?preferQueryMode=simple", "?prepareThreshold=1&binaryTransfer=false"}) {
            try (Connection c = DriverManager.getConnection("jdbc:postgresql://" + args[0] + ":" + args[1] + "/tarn" + mode, "ana", "")) {
                run(c, mode);
            }
        }
    }

    static void run(Connection c, String mode) throws Exception {
        try (Statement s = c.createStatement()) {
            s.execute("DROP TABLE IF EXISTS client_jdbc");
            s.execute("CREATE TABLE client_jdbc (id int, note varchar(20), amount numeric(10,2), at timestamp, ok boolean)");
        }
        try (PreparedStatement p = c.prepareStatement("INSERT INTO client_jdbc VALUES (?, ?, ?, ?, ?)")) {
            for (int i = 1; i <= 20; i++) {
                p.setInt(1, i);
                p.setString(2, "n" + i);
                p.setBigDecimal(3, new BigDecimal(i + ".25"));
                p.setTimestamp(4, Timestamp.valueOf("2018-08-01 04:00:00"));
                p.setBoolean(5, i % 2 == 0);
                p.addBatch();
            }
            check(p.executeBatch().length == 20, "batch");
        }
        try (PreparedStatement p = c.prepareStatement("SELECT note, amount, at, ok FROM client_jdbc WHERE id = ?")) {
            for (int i = 1; i <= 12; i++) {
                p.setInt(1, i);
                try (ResultSet r = p.executeQuery()) {
                    check(r.next() && r.getString(1).equals("n" + i) && r.getBigDecimal(2).equals(new BigDecimal(i + ".25")), i);
                    check(r.getTimestamp(3).toString().equals("2018-08-01 04:00:00.0") && r.getBoolean(4) == (i % 2 == 0) && !r.next(), i);
                }
            }
        }
        DatabaseMetaData meta = c.getMetaData();
        check(meta.getDatabaseProductName().equals("PostgreSQL"), meta.getDatabaseProductName());
        try (ResultSet r = meta.getTables(null, "public", "client_jdbc", new String[] {"TABLE"})) {
            check(r.next() && r.getString("TABLE_NAME").equals("client_jdbc"), "getTables");
        }
        try (ResultSet r = meta.getColumns(null, "public", "client_jdbc", "%")) {
            List<String> columns = new ArrayList<>();
            while (r.next()) columns.add(r.getString("COLUMN_NAME") + " " + r.getString("TYPE_NAME") + " " + r.getInt("COLUMN_SIZE"));
            check(columns.toString().equals("[id int4 10, note varchar 20, amount numeric 10, at timestamp 29, ok bool 1]"), columns);
        }
        c.setAutoCommit(false);
        try (Statement s = c.createStatement()) {
            s.setFetchSize(100);
            try (ResultSet r = s.executeQuery("SELECT i FROM generate_series(1, 1000) g(i)")) {
                long sum = 0;
                while (r.next()) {
                    sum += r.getInt(1);
                    if (r.getRow() == 150) { // another statement while the portal is open
                        try (Statement other = c.createStatement(); ResultSet o = other.executeQuery("SELECT count(*) FROM client_jdbc")) {
                            check(o.next() && o.getInt(1) == 20, "other");
                        }
                    }
                }
                check(sum == 500500, sum);
            }
            s.setMaxRows(3);
            try (ResultSet r = s.executeQuery("SELECT i FROM generate_series(1, 1000) g(i)")) {
                int n = 0;
                while (r.next()) n++;
                check(n == 3 || mode.contains("simple"), n);
            }
        }
        Savepoint savepoint = c.setSavepoint();
        try (Statement s = c.createStatement()) {
            s.executeQuery("SELECT nope FROM client_jdbc");
            throw new AssertionError("no error");
        } catch (SQLException e) {
            check(e.getSQLState().equals("42703"), e);
        }
        c.rollback(savepoint);
        c.commit();
        c.setAutoCommit(true);
        CopyManager copy = c.unwrap(PGConnection.class).getCopyAPI();
        check(copy.copyIn("COPY client_jdbc (id, note) FROM STDIN WITH CSV", new java.io.StringReader("100,copied\n")) == 1, "copyIn");
        java.io.StringWriter out = new java.io.StringWriter();
        copy.copyOut("COPY (SELECT id, note FROM client_jdbc WHERE id = 100) TO STDOUT", out);
        check(out.toString().equals("100\tcopied\n"), out);
        try (Statement s = c.createStatement()) {
            s.setQueryTimeout(1);
            long started = System.currentTimeMillis();
            try {
                s.executeQuery("SELECT count(*) FROM generate_series(1, 100000) a(i), generate_series(1, 100000) b(i)");
                throw new AssertionError("not cancelled");
            } catch (SQLException e) {
                check(e.getSQLState().equals("57014") && System.currentTimeMillis() - started < 3000, e);
            }
        }
        check(c.isValid(2), "isValid");
        try (Statement s = c.createStatement()) {
            s.execute("DROP TABLE client_jdbc");
        }
    }
}
