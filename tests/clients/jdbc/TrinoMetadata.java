// Calls every method of DatabaseMetaData and prints what it gives, one line a value or a row, so that two servers can be
// compared. Arguments: URL user [password].
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Properties;
import java.util.Set;

public class TrinoMetadata {
  static final Set<String> OF_OBJECT = Set.of("unwrap", "isWrapperFor", "getConnection", "getURL", "getUserName",
      "getDatabaseProductVersion", "getDriverVersion", "getClass", "hashCode", "equals", "toString", "notify", "notifyAll", "wait");

  // What each parameter is by its place among the texts of a method: catalog, schema, table, column.
  static Object[] arguments(Method method) {
    Class<?>[] types = method.getParameterTypes();
    Object[] out = new Object[types.length];
    String[] texts = method.getName().equals("getCrossReference")
        ? new String[] {"tpch", "tiny", "nation", "tpch", "tiny", "region"}
        : method.getName().equals("getSchemas") ? new String[] {"tpch", "t%"}
        : new String[] {"tpch", "tiny", "nation", "%"};
    int text = 0;
    for (int i = 0; i < types.length; ++i) {
      if (types[i] == String.class) out[i] = texts[text++];
      if (types[i] == int.class) out[i] = 1;
      if (types[i] == boolean.class) out[i] = false;
    }
    return out;
  }

  static void print(String name, ResultSet result) throws SQLException {
    ResultSetMetaData columns = result.getMetaData();
    for (int i = 1; i <= columns.getColumnCount(); ++i) {
      System.out.println(name + " column " + i + " " + columns.getColumnLabel(i) + " " + columns.getColumnTypeName(i));
    }
    List<String> rows = new ArrayList<>();
    while (result.next()) {
      StringBuilder row = new StringBuilder();
      for (int i = 1; i <= columns.getColumnCount(); ++i) row.append('|').append(result.getObject(i));
      rows.add(row.toString());
    }
    // Catalogs differ between servers: those both have.
    rows.removeIf(row -> name.startsWith("getCatalogs") && !row.equals("|tpch") && !row.equals("|system"));
    for (String row : rows) System.out.println(name + " " + row);
  }

  public static void main(String[] arguments) throws Exception {
    Properties properties = new Properties();
    properties.setProperty("user", arguments[1]);
    if (arguments.length > 2) {
      properties.setProperty("password", arguments[2]);
      properties.setProperty("SSL", "true");
      properties.setProperty("SSLVerification", "NONE");
    }
    try (Connection connection = DriverManager.getConnection(arguments[0], properties)) {
      DatabaseMetaData metadata = connection.getMetaData();
      Method[] methods = DatabaseMetaData.class.getMethods();
      Arrays.sort(methods, Comparator.comparing((Method m) -> m.getName()).thenComparing(m -> m.getParameterCount()));
      for (Method method : methods) {
        if (OF_OBJECT.contains(method.getName())) continue;
        boolean all = method.getName().equals("getSchemas") && method.getParameterCount() == 0;
        if (all) continue; // every catalog's: they differ between servers
        String name = method.getName() + "(" + method.getParameterCount() + ")";
        try {
          Object value = method.invoke(metadata, arguments(method));
          if (value instanceof ResultSet) print(name, (ResultSet) value);
          else System.out.println(name + " = " + value);
        } catch (InvocationTargetException problem) {
          System.out.println(name + " ! " + problem.getCause().getClass().getSimpleName() + ": " + problem.getCause().getMessage());
        }
      }
    }
  }
}
