// Walks the Trino Go client (database/sql) over a running platform. Argument: the DSN.
// Prints one line a check; exits 1 on the first that fails.
package main

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/trinodb/trino-go-client/trino"
)

func check(what string, fine bool, more ...any) {
	if fine {
		fmt.Println("ok  ", what)
		return
	}
	fmt.Println(append([]any{"FAIL", what}, more...)...)
	os.Exit(1)
}

func must(what string, err error) { check(what, err == nil, err) }

func one[T any](db *sql.DB, query string, arguments ...any) T {
	var value T
	must(query, db.QueryRow(query, arguments...).Scan(&value))
	return value
}

func values(db *sql.DB) {
	check("integer", one[int64](db, "SELECT 41 + 1") == 42)
	check("double", one[float64](db, "SELECT 1.5e0") == 1.5)
	check("text", one[string](db, "SELECT 'größe'") == "größe")
	check("decimal", one[string](db, "SELECT DECIMAL '1.50'") == "1.50")
	check("boolean", one[bool](db, "SELECT true"))
	check("varbinary", string(one[[]byte](db, "SELECT X'6869'")) == "hi")
	moment := one[time.Time](db, "SELECT TIMESTAMP '2020-02-29 01:02:03.123456 Europe/Berlin'")
	check("timestamp with time zone", moment.UTC().Format(time.RFC3339Nano) == "2020-02-29T00:02:03.123456Z", moment)
	check("date", one[time.Time](db, "SELECT DATE '2020-02-29'").Format(time.DateOnly) == "2020-02-29")
	check("null", !one[sql.NullInt64](db, "SELECT CAST(NULL AS bigint)").Valid)
	var list trino.NullSlice[sql.NullInt64]
	must("array", db.QueryRow("SELECT ARRAY[1, 2, NULL]").Scan(&list))
	check("array's values", list.Valid && len(list.Slice) == 3 && list.Slice[1].Int64 == 2 && !list.Slice[2].Valid)
	var object trino.NullMap[string, int64]
	must("map", db.QueryRow("SELECT MAP(ARRAY['a'], ARRAY[1])").Scan(&object))
	check("map's values", object.Valid && object.Map["a"] == 1)
	check("parameters", one[string](db, "SELECT ? || CAST(? + 1 AS varchar)", "it's ", int64(41)) == "it's 42")
	prepared, err := db.Prepare("SELECT name FROM tpch.tiny.nation WHERE nationkey = ?")
	must("prepare", err)
	var name string
	must("prepared", prepared.QueryRow(int64(7)).Scan(&name))
	check("prepared's row", name == "GERMANY", name)
}

func tables(db *sql.DB) {
	for _, statement := range []string{
		"DROP SCHEMA IF EXISTS iceberg.go_test CASCADE", "CREATE SCHEMA iceberg.go_test",
		"CREATE TABLE iceberg.go_test.t (id bigint, name varchar)",
	} {
		_, err := db.Exec(statement)
		must(statement, err)
	}
	outcome, err := db.Exec("INSERT INTO iceberg.go_test.t VALUES (1, 'a'), (2, 'b')")
	must("insert", err)
	count, err := outcome.RowsAffected()
	check("rows affected", err == nil && count == 2, count, err)
	rows, err := db.Query("SELECT id, name FROM iceberg.go_test.t")
	must("select", err)
	types, err := rows.ColumnTypes()
	must("column types", err)
	check("column types", types[0].DatabaseTypeName() == "BIGINT" && types[1].DatabaseTypeName() == "VARCHAR",
		types[0].DatabaseTypeName(), types[1].DatabaseTypeName())
	rows.Close()
	_, err = db.Exec("DROP SCHEMA iceberg.go_test CASCADE")
	must("drop", err)
}

func failures(db *sql.DB) {
	_, err := db.Exec("SELECT nope FROM tpch.tiny.nation")
	var failed *trino.ErrTrino
	check("an error", errors.As(err, &failed) && failed.ErrorName == "COLUMN_NOT_FOUND" && failed.ErrorCode == 47, err)
	limited, stop := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer stop()
	began := time.Now()
	_, err = db.ExecContext(limited, "SELECT count(*) /* go cancel */ FROM tpch.sf100.lineitem")
	check("a cancelled query", err != nil && time.Since(began) < 5*time.Second, err)
	// The server hears of it by DELETE.
	state := ""
	for until := time.Now().Add(10 * time.Second); state != "FAILED" && time.Now().Before(until); {
		state = one[string](db, "SELECT state FROM system.runtime.queries WHERE query LIKE '%/* go cancel */%' AND query NOT LIKE '%LIKE%'")
	}
	check("the server stopped it", state == "FAILED", state)
}

// Many rows: segments fetched by several workers, put in order again.
func many(db *sql.DB, encoding string) {
	rows, err := db.Query("SELECT orderkey, comment FROM tpch.sf1.orders ORDER BY orderkey LIMIT 300000",
		sql.Named("encoding", encoding))
	must("many rows, "+encoding, err)
	defer rows.Close()
	count, last := 0, int64(0)
	for rows.Next() {
		var key int64
		var comment string
		if err := rows.Scan(&key, &comment); err != nil || key <= last {
			check("a row", false, err, last, key)
		}
		last = key
		count++
	}
	must("the end", rows.Err())
	check("all of them", count == 300000, count)
}

func main() {
	insecure := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	must("client", trino.RegisterCustomClient("insecure", insecure))
	db, err := sql.Open("trino", os.Args[1])
	must("open", err)
	must("ping", db.Ping())
	values(db)
	tables(db)
	failures(db)
	for _, encoding := range []string{"json", "json+zstd", "json+lz4"} {
		many(db, encoding)
	}
	must("close", db.Close())
}
