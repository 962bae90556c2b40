"""The tables of a Hive Metastore's PostgreSQL database that names live in, as version 3.1 and 4.0 have them."""

BIG, TEXT, REAL = "bigint", "varchar(4000)", "double precision"

STATISTICS = {
    "CS_ID": BIG + " PRIMARY KEY", "CAT_NAME": TEXT, "DB_NAME": TEXT, "TABLE_NAME": TEXT, "COLUMN_NAME": TEXT,
    "COLUMN_TYPE": TEXT, "LONG_LOW_VALUE": BIG, "LONG_HIGH_VALUE": BIG, "DOUBLE_LOW_VALUE": REAL, "DOUBLE_HIGH_VALUE": REAL,
    "BIG_DECIMAL_LOW_VALUE": TEXT, "BIG_DECIMAL_HIGH_VALUE": TEXT, "NUM_NULLS": BIG + " NOT NULL", "NUM_DISTINCTS": BIG,
    "BIT_VECTOR": "bytea", "AVG_COL_LEN": REAL, "MAX_COL_LEN": BIG, "NUM_TRUES": BIG, "NUM_FALSES": BIG,
    "LAST_ANALYZED": BIG + " NOT NULL",
}


def parameters(key, table):
    return {key: f'{BIG} NOT NULL REFERENCES "{table}" DEFERRABLE', "PARAM_KEY": TEXT + " NOT NULL", "PARAM_VALUE": "text"}


TABLES = {
    "VERSION": {"VER_ID": BIG, "SCHEMA_VERSION": TEXT, "VERSION_COMMENT": TEXT},
    "SEQUENCE_TABLE": {"SEQUENCE_NAME": TEXT + " PRIMARY KEY", "NEXT_VAL": BIG + " NOT NULL"},
    "CTLGS": {"CTLG_ID": BIG + " PRIMARY KEY", "NAME": TEXT + " UNIQUE", "DESC": TEXT, "LOCATION_URI": TEXT + " NOT NULL"},
    "DBS": {"DB_ID": BIG + " PRIMARY KEY", "DESC": TEXT, "DB_LOCATION_URI": TEXT + " NOT NULL", "NAME": "varchar(128)",
            "OWNER_NAME": TEXT, "OWNER_TYPE": "varchar(10)", "CTLG_NAME": TEXT + ' REFERENCES "CTLGS" ("NAME")'},
    "DATABASE_PARAMS": parameters("DB_ID", "DBS"),
    "CDS": {"CD_ID": BIG + " PRIMARY KEY"},
    "COLUMNS_V2": {"CD_ID": BIG + ' NOT NULL REFERENCES "CDS"', "COMMENT": TEXT, "COLUMN_NAME": TEXT + " NOT NULL",
                   "TYPE_NAME": "text", "INTEGER_IDX": "integer NOT NULL"},
    "SERDES": {"SERDE_ID": BIG + " PRIMARY KEY", "NAME": TEXT, "SLIB": TEXT, "DESCRIPTION": TEXT, "SERIALIZER_CLASS": TEXT,
               "DESERIALIZER_CLASS": TEXT, "SERDE_TYPE": "integer"},
    "SERDE_PARAMS": parameters("SERDE_ID", "SERDES"),
    "SDS": {"SD_ID": BIG + " PRIMARY KEY", "INPUT_FORMAT": TEXT, "IS_COMPRESSED": "boolean NOT NULL", "LOCATION": TEXT,
            "NUM_BUCKETS": BIG + " NOT NULL", "OUTPUT_FORMAT": TEXT, "SERDE_ID": BIG + ' REFERENCES "SERDES"',
            "CD_ID": BIG + ' REFERENCES "CDS"', "IS_STOREDASSUBDIRECTORIES": "boolean NOT NULL"},
    "SD_PARAMS": parameters("SD_ID", "SDS"),
    "BUCKETING_COLS": {"SD_ID": BIG + ' REFERENCES "SDS"', "BUCKET_COL_NAME": TEXT, "INTEGER_IDX": BIG + " NOT NULL"},
    "SORT_COLS": {"SD_ID": BIG + ' REFERENCES "SDS"', "COLUMN_NAME": TEXT, "ORDER": BIG, "INTEGER_IDX": BIG + " NOT NULL"},
    "SKEWED_COL_NAMES": {"SD_ID": BIG + ' REFERENCES "SDS"', "SKEWED_COL_NAME": TEXT, "INTEGER_IDX": BIG + " NOT NULL"},
    "TBLS": {"TBL_ID": BIG + " PRIMARY KEY", "CREATE_TIME": BIG + " NOT NULL", "DB_ID": BIG + ' REFERENCES "DBS"',
             "LAST_ACCESS_TIME": BIG + " NOT NULL", "OWNER": TEXT, "OWNER_TYPE": "varchar(10)", "RETENTION": BIG + " NOT NULL",
             "SD_ID": BIG + ' REFERENCES "SDS"', "TBL_NAME": TEXT, "TBL_TYPE": TEXT, "VIEW_EXPANDED_TEXT": "text",
             "VIEW_ORIGINAL_TEXT": "text", "IS_REWRITE_ENABLED": "boolean NOT NULL DEFAULT false"},
    "TABLE_PARAMS": parameters("TBL_ID", "TBLS"),
    "PARTITION_KEYS": {"TBL_ID": BIG + ' REFERENCES "TBLS"', "PKEY_COMMENT": TEXT, "PKEY_NAME": TEXT, "PKEY_TYPE": TEXT,
                       "INTEGER_IDX": BIG + " NOT NULL"},
    "PARTITIONS": {"PART_ID": BIG + " PRIMARY KEY", "CREATE_TIME": BIG + " NOT NULL", "LAST_ACCESS_TIME": BIG + " NOT NULL",
                   "PART_NAME": "varchar(767)", "SD_ID": BIG + ' REFERENCES "SDS"', "TBL_ID": BIG + ' REFERENCES "TBLS"'},
    "PARTITION_PARAMS": parameters("PART_ID", "PARTITIONS"),
    "PARTITION_KEY_VALS": {"PART_ID": BIG + ' REFERENCES "PARTITIONS"', "PART_KEY_VAL": TEXT, "INTEGER_IDX": BIG},
    "TAB_COL_STATS": {**STATISTICS, "TBL_ID": BIG + ' REFERENCES "TBLS"'},
    "PART_COL_STATS": {**STATISTICS, "PARTITION_NAME": TEXT, "PART_ID": BIG + ' REFERENCES "PARTITIONS"'},
    "FUNCS": {"FUNC_ID": BIG + " PRIMARY KEY", "CLASS_NAME": TEXT, "CREATE_TIME": "integer NOT NULL",
              "DB_ID": BIG + ' REFERENCES "DBS"', "FUNC_NAME": TEXT, "FUNC_TYPE": "integer NOT NULL", "OWNER_NAME": TEXT,
              "OWNER_TYPE": "varchar(10)"},
    "FUNC_RU": {"FUNC_ID": BIG + ' REFERENCES "FUNCS"', "RESOURCE_TYPE": "integer NOT NULL", "RESOURCE_URI": TEXT,
                "INTEGER_IDX": "integer NOT NULL"},
}
# What 4.0 adds to them.
FOUR = {
    "DBS": {"CREATE_TIME": BIG, "DB_MANAGED_LOCATION_URI": TEXT, "TYPE": "varchar(32) NOT NULL DEFAULT 'NATIVE'"},
    "TBLS": {"WRITE_ID": BIG + " DEFAULT 0"},
    "PARTITIONS": {"WRITE_ID": BIG + " DEFAULT 0"},
    "TAB_COL_STATS": {"ENGINE": "varchar(128) NOT NULL", "HISTOGRAM": "bytea"},
    "PART_COL_STATS": {"ENGINE": "varchar(128) NOT NULL", "HISTOGRAM": "bytea"},
}


def statements(version):
    """An empty metastore, as Hive's schematool leaves it."""
    out = []
    for name, columns in TABLES.items():
        columns = {**columns, **(FOUR.get(name, {}) if version.startswith("4") else {})}
        out.append(f'CREATE TABLE "{name}" (' + ", ".join(f'"{column}" {kind}' for column, kind in columns.items()) + ")")
    out.append('ALTER TABLE "DBS" ADD UNIQUE ("NAME", "CTLG_NAME")')
    out.append('ALTER TABLE "TBLS" ADD UNIQUE ("TBL_NAME", "DB_ID")')
    out.append('ALTER TABLE "PARTITIONS" ADD UNIQUE ("PART_NAME", "TBL_ID")')
    out.append("INSERT INTO \"CTLGS\" VALUES (1, 'hive', 'Default catalog for Hive', 'TBD')")
    out.append(f"INSERT INTO \"VERSION\" VALUES (1, '{version}', 'Hive release version {version}')")
    return ";\n".join(out)
