// Walks the Trino JDBC driver: connection, query, prepared statement, metadata. Arguments: URL user password.
// Prints one line a check; exits 1 on the first that fails.
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;

public class TrinoJdbc {
  static void check(String what, boolean fine) {
    System.out.println((fine ? "ok   " : "FAIL ") + what);
    if (!fine) System.exit(1);
  }

  static int rows(ResultSet result) throws SQLException {
    int count = 0;
    while (result.next()) ++count;
    return count;
  }

  public static void main(String[] arguments) throws Exception {
    Properties properties = new Properties();
    properties.setProperty("user", arguments[1]);
    properties.setProperty("password", arguments[2]);
    properties.setProperty("SSL", "true");
    properties.setProperty("SSLVerification", "NONE");
    try (Connection connection = DriverManager.getConnection(arguments[0], properties)) {
      check("isValid", connection.isValid(5));
      try (Statement statement = connection.createStatement()) {
        ResultSet one = statement.executeQuery("SELECT 1, 'x', DECIMAL '1.50', DATE '2020-02-29', ARRAY[1, 2], TIMESTAMP '2020-01-01 01:02:03.123'");
        check("a row", one.next());
        check("integer", one.getInt(1) == 1);
        check("varchar", one.getString(2).equals("x"));
        check("decimal", one.getBigDecimal(3).toString().equals("1.50"));
        check("date", one.getDate(4).toString().equals("2020-02-29"));
        check("array", ((Object[]) one.getArray(5).getArray()).length == 2);
        check("timestamp", one.getTimestamp(6).toString().equals("2020-01-01 01:02:03.123"));
        check("no more rows", !one.next());

        statement.execute("CREATE SCHEMA IF NOT EXISTS iceberg.jdbc_test");
        statement.execute("DROP TABLE IF EXISTS iceberg.jdbc_test.t");
        statement.execute("CREATE TABLE iceberg.jdbc_test.t (id bigint, name varchar)");
        check("insert count", statement.executeUpdate("INSERT INTO iceberg.jdbc_test.t VALUES (1, 'a'), (2, 'b')") == 2);
        check("many rows", rows(statement.executeQuery("SELECT * FROM UNNEST(sequence(1, 10000)) t(n)")) == 10000);
        try {
          statement.executeQuery("SELECT nope FROM iceberg.jdbc_test.t");
          check("an error", false);
        } catch (SQLException problem) {
          check("error code", problem.getErrorCode() == 47);
        }
      }
      try (PreparedStatement prepared = connection.prepareStatement("SELECT name FROM iceberg.jdbc_test.t WHERE id = ?")) {
        prepared.setLong(1, 2);
        ResultSet found = prepared.executeQuery();
        check("prepared", found.next() && found.getString(1).equals("b"));
      }
      DatabaseMetaData metadata = connection.getMetaData();
      check("catalogs", rows(metadata.getCatalogs()) >= 2);
      check("schemas", rows(metadata.getSchemas("iceberg", "jdbc%")) == 1);
      check("tables", rows(metadata.getTables("iceberg", "jdbc_test", "%", null)) == 1);
      check("columns", rows(metadata.getColumns("iceberg", "jdbc_test", "t", "%")) == 2);
      check("table types", rows(metadata.getTableTypes()) == 2);
      check("type info", rows(metadata.getTypeInfo()) > 10);
      check("product", metadata.getDatabaseProductName().equals("Trino"));
      connection.setAutoCommit(false);
      try (Statement statement = connection.createStatement()) {
        check("in a transaction", rows(statement.executeQuery("SELECT count(*) FROM iceberg.jdbc_test.t")) == 1);
      }
      connection.commit();
      connection.setAutoCommit(true);
      try (Statement statement = connection.createStatement()) {
        statement.execute("DROP TABLE iceberg.jdbc_test.t");
        statement.execute("DROP SCHEMA iceberg.jdbc_test");
      }
    }
  }
}
