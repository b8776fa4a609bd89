package store

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tailorbird/tailorbird/internal/fault"
)

// statementParts are the nodes of PostgreSQL's trees that a query may have, by the names that versions before and since 16
// give them. What is not here is refused, so that a newer PostgreSQL opens nothing.
var statementParts = wordSet(`
	QUERY TARGETENTRY RTE RANGETBLENTRY RTEPERMISSIONINFO ALIAS RANGETBLREF JOINEXPR FROMEXPR RANGETBLFUNCTION
	COMMONTABLEEXPR SETOPERATIONSTMT SORTGROUPCLAUSE GROUPINGSET WINDOWCLAUSE
	VAR CONST FUNCEXPR NAMEDARGEXPR OPEXPR DISTINCTEXPR NULLIFEXPR SCALARARRAYOPEXPR BOOLEXPR SUBLINK
	CASE CASEEXPR WHEN CASEWHEN CASETESTEXPR COALESCE COALESCEEXPR MINMAX MINMAXEXPR NULLTEST BOOLEANTEST ARRAY ARRAYEXPR
	ROW ROWEXPR ROWCOMPARE ROWCOMPAREEXPR COLLATE COLLATEEXPR SUBSCRIPTINGREF RELABELTYPE COERCEVIAIO ARRAYCOERCEEXPR
	AGGREF GROUPINGFUNC WINDOWFUNC SQLVALUEFUNCTION
`)

// postgresFunctions are those of PostgreSQL that a query may call: they look at nothing but their arguments and the clock,
// and none makes much out of little, as repeat does.
var postgresFunctions = wordSet(`
	abs acos asin atan atan2 cbrt ceil ceiling cos degrees div exp floor gcd lcm ln log log10 mod pi pow power radians round
	sign sin sqrt tan trunc width_bucket
	ascii bit_length btrim char_length character_length chr concat concat_ws initcap left length lower ltrim md5 octet_length
	overlay position regexp_count regexp_instr regexp_like regexp_match regexp_matches regexp_replace regexp_split_to_array
	regexp_split_to_table regexp_substr replace reverse right rtrim split_part starts_with string_to_array string_to_table
	strpos substr substring to_hex translate upper like like_escape notlike similar_escape similar_to_escape
	age date_bin date_part date_trunc extract isfinite justify_days justify_hours justify_interval make_date make_interval
	make_time make_timestamp make_timestamptz now overlaps statement_timestamp timezone to_char to_date to_number
	to_timestamp transaction_timestamp
	bool bpchar date float4 float8 int2 int4 int8 interval numeric text time timestamp timestamptz timetz varchar
	json_array_elements json_array_elements_text json_array_length json_build_array json_build_object json_each
	json_each_text json_extract_path json_extract_path_text json_object_keys json_strip_nulls json_typeof jsonb_array_elements
	jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text
	jsonb_extract_path jsonb_extract_path_text jsonb_object_keys jsonb_strip_nulls jsonb_typeof to_json to_jsonb
	array_length array_position array_positions array_remove array_to_string cardinality generate_series num_nonnulls num_nulls unnest
	array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count covar_pop covar_samp every json_agg json_object_agg
	jsonb_agg jsonb_object_agg max min mode percentile_cont percentile_disc regr_avgx regr_avgy regr_count regr_intercept
	regr_r2 regr_slope regr_sxx regr_sxy regr_syy stddev stddev_pop stddev_samp string_agg sum var_pop var_samp variance
	cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number
`)

// postgresTypes are the types that values in a query may have, and lists of them. None of these says anything about the
// database itself, as regclass does.
var postgresTypes = wordSet(`
	bool int2 int4 int8 float4 float8 numeric text varchar bpchar unknown date time timetz timestamp timestamptz interval
	json jsonb uuid record
`)

// typeFields are the fields that name the type of a value.
var typeFields = strings.Fields(`consttype vartype funcresulttype opresulttype aggtype wintype resulttype casetype coalescetype
	minmaxtype array_typeid element_typeid row_typeid refrestype type`)

// statementUses is what a statement names, by PostgreSQL's ids.
type statementUses struct {
	functions, operators, tables, types map[int64]bool
}

// usesOf collects what a statement names. Parts that a query may not have are refused.
func usesOf(tree *treeNode) (*statementUses, error) {
	u := &statementUses{map[int64]bool{}, map[int64]bool{}, map[int64]bool{}, map[int64]bool{}}
	err := tree.each(func(n *treeNode) error {
		switch {
		case !statementParts[n.tag]:
			return fault.Field("sql", "has a part that queries may not have (PostgreSQL calls it %.40s); a query is one SELECT that changes and locks nothing",
				strings.ToLower(n.tag))
		case n.tag == "QUERY" && n.words["commandType"] != "1":
			return fault.Field("sql", "does more than to read; a query is one SELECT")
		}
		for _, field := range []string{"funcid", "aggfnoid", "winfnoid"} {
			u.functions[n.number(field)] = true
		}
		for _, field := range []string{"opno", "eqop", "sortop"} {
			u.operators[n.number(field)] = true
		}
		for _, id := range n.numbers["opnos"] {
			u.operators[id] = true
		}
		for _, field := range typeFields {
			u.types[n.number(field)] = true
		}
		u.tables[n.number("relid")] = true
		return nil
	})
	return u, err
}

// named asks PostgreSQL what is called so. Operators are told by the function behind them.
const named = `
	SELECT 'function', proname::text, pronamespace = 'pg_catalog'::regnamespace AND provolatile <> 'v' FROM pg_proc WHERE oid = ANY($1::text::oid[])
	UNION ALL
	SELECT 'operator', o.oprname::text, o.oprnamespace = 'pg_catalog'::regnamespace AND p.pronamespace = 'pg_catalog'::regnamespace AND p.provolatile <> 'v'
	FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode WHERE o.oid = ANY($2::text::oid[])
	UNION ALL
	SELECT 'table', relname::text, relnamespace = pg_my_temp_schema() AND relkind = 'v' FROM pg_class WHERE oid = ANY($3::text::oid[])
	UNION ALL
	SELECT 'type', coalesce(e.typname, t.typname)::text, coalesce(e.typnamespace, t.typnamespace) = 'pg_catalog'::regnamespace
	FROM pg_type t LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A' WHERE t.oid = ANY($4::text::oid[])`

// check refuses what a query may not name.
func (u *statementUses) check(ctx context.Context, conn *pgconn.PgConn) error {
	sets := []map[int64]bool{u.functions, u.operators, u.tables, u.types}
	arguments, missing := make([][]byte, len(sets)), 0
	for i, set := range sets {
		delete(set, 0)
		missing += len(set)
		var ids []string
		for _, id := range slices.Sorted(maps.Keys(set)) {
			ids = append(ids, strconv.FormatInt(id, 10))
		}
		arguments[i] = []byte("{" + strings.Join(ids, ",") + "}")
	}
	answer := conn.ExecParams(ctx, named, arguments, nil, nil, nil).Read()
	if answer.Err != nil {
		return answer.Err
	}
	for _, row := range answer.Rows {
		missing--
		name, ours := string(row[1]), string(row[2]) == "t"
		switch kind := string(row[0]); {
		case kind == "function" && (!ours || !postgresFunctions[name]):
			return fault.Field("sql", "calls %.60s, which is not among the functions for queries", name)
		case kind == "operator" && !ours:
			return fault.Field("sql", "uses the operator %.60s, which is not PostgreSQL's own", name)
		case kind == "table" && (!ours || queryTables[name] == nil && name != askedView): // which the tree names before 16
			return fault.Field("sql", "reads %.60s, which is not among the tables for queries; tables are named without a schema", name)
		case kind == "type" && (!ours || !postgresTypes[name]):
			return fault.Field("sql", "has values of the type %.60s, which queries may not have", name)
		}
	}
	if missing != 0 {
		return fault.New(fault.Internal, "PostgreSQL does not tell what a query names")
	}
	return nil
}
