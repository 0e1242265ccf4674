import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.hive.ql.exec.vector.*;
import org.apache.hadoop.hive.ql.io.sarg.*;
import org.apache.orc.*;

/**
 * Prints the rows of ORC files as ORC's Java reader, which Spark and Hive use, sees them: an array of JSON
 * a line, values in the form of internal/format/orc/testdata/generate.py.
 *
 *   Dump FILE                 all rows
 *   Dump FILE COLUMN VALUE    how many rows the reader gives that have a bigint or string, found by statistics and Bloom filters
 */
public class Dump {
  public static void main(String[] args) throws IOException {
    Configuration conf = new Configuration();
    PrintStream out = new PrintStream(new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16), false, "UTF-8");
    try (Reader reader = OrcFile.createReader(new Path(args[0]), OrcFile.readerOptions(conf).convertToProlepticGregorian(true))) {
      if (args.length == 3) out.println(search(reader, args[1], args[2]));
      else dump(reader, out);
    }
    out.flush();
  }

  static void dump(Reader reader, PrintStream out) throws IOException {
    TypeDescription schema = reader.getSchema();
    VectorizedRowBatch batch = schema.createRowBatch();
    try (RecordReader rows = reader.rows()) {
      StringBuilder line = new StringBuilder();
      while (rows.nextBatch(batch)) {
        for (int row = 0; row < batch.size; row++) {
          line.setLength(0);
          line.append('[');
          for (int c = 0; c < batch.cols.length; c++) {
            if (c > 0) line.append(',');
            show(line, schema.getChildren().get(c), batch.cols[c], row);
          }
          out.println(line.append(']'));
        }
      }
    }
  }

  static long search(Reader reader, String column, String value) throws IOException {
    TypeDescription type = reader.getSchema().findSubtype(column);
    boolean isText = type.getCategory() == TypeDescription.Category.STRING;
    Object literal = isText ? value : (Object) Long.valueOf(value);
    SearchArgument wanted = SearchArgumentFactory.newBuilder().startAnd()
        .equals(column, isText ? PredicateLeaf.Type.STRING : PredicateLeaf.Type.LONG, literal).end().build();
    VectorizedRowBatch batch = reader.getSchema().createRowBatch();
    int at = reader.getSchema().getFieldNames().indexOf(column);
    long found = 0;
    StringBuilder text = new StringBuilder(), want = new StringBuilder();
    quote(want, value);
    try (RecordReader rows = reader.rows(reader.options().searchArgument(wanted, new String[] {column}))) {
      while (rows.nextBatch(batch)) {
        for (int row = 0; row < batch.size; row++) {
          text.setLength(0);
          show(text, type, batch.cols[at], row);
          if (text.compareTo(want) == 0) found++;
        }
      }
    }
    return found;
  }

  static void show(StringBuilder out, TypeDescription type, ColumnVector column, int row) {
    if (column.isRepeating) row = 0;
    if (!column.noNulls && column.isNull[row]) {
      out.append("null");
      return;
    }
    switch (type.getCategory()) {
      case BOOLEAN -> quote(out, ((LongColumnVector) column).vector[row] != 0 ? "true" : "false");
      case BYTE, SHORT, INT, LONG, DATE -> quote(out, Long.toString(((LongColumnVector) column).vector[row]));
      case FLOAT, DOUBLE -> {
        double d = ((DoubleColumnVector) column).vector[row];
        quote(out, d != d ? "nan" : String.format("%016x", Double.doubleToRawLongBits(d)));
      }
      case DECIMAL -> {
        BigDecimal d = ((DecimalColumnVector) column).vector[row].getHiveDecimal().bigDecimalValue();
        quote(out, d.setScale(type.getScale()).toPlainString());
      }
      case STRING, VARCHAR, CHAR -> {
        BytesColumnVector b = (BytesColumnVector) column;
        quote(out, new String(b.vector[row], b.start[row], b.length[row], StandardCharsets.UTF_8));
      }
      case BINARY -> {
        BytesColumnVector b = (BytesColumnVector) column;
        quote(out, HexFormat.of().formatHex(b.vector[row], b.start[row], b.start[row] + b.length[row]));
      }
      case TIMESTAMP, TIMESTAMP_INSTANT -> {
        TimestampColumnVector t = (TimestampColumnVector) column;
        quote(out, Long.toString(Math.floorDiv(t.time[row], 1000L) * 1_000_000 + t.nanos[row] / 1000));
      }
      case LIST -> {
        ListColumnVector l = (ListColumnVector) column;
        out.append('[');
        for (long i = 0; i < l.lengths[row]; i++) {
          if (i > 0) out.append(',');
          show(out, type.getChildren().get(0), l.child, (int) (l.offsets[row] + i));
        }
        out.append(']');
      }
      case MAP -> {
        MapColumnVector m = (MapColumnVector) column;
        out.append('[');
        for (long i = 0; i < m.lengths[row]; i++) {
          out.append(i > 0 ? ",[" : "[");
          show(out, type.getChildren().get(0), m.keys, (int) (m.offsets[row] + i));
          out.append(',');
          show(out, type.getChildren().get(1), m.values, (int) (m.offsets[row] + i));
          out.append(']');
        }
        out.append(']');
      }
      case STRUCT -> {
        StructColumnVector s = (StructColumnVector) column;
        out.append('[');
        for (int i = 0; i < s.fields.length; i++) {
          if (i > 0) out.append(',');
          show(out, type.getChildren().get(i), s.fields[i], row);
        }
        out.append(']');
      }
      default -> throw new IllegalArgumentException(type.toString());
    }
  }

  static void quote(StringBuilder out, String s) {
    out.append('"');
    for (int i = 0; i < s.length(); i++) {
      char c = s.charAt(i);
      if (c == '"' || c == '\\') out.append('\\').append(c);
      else if (c < ' ') out.append(String.format("\\u%04x", (int) c));
      else out.append(c);
    }
    out.append('"');
  }
}
