/* The REST interface: a table of operations, from which come the routes, what is accepted, and the OpenAPI document. To add an
 * operation: a row in a table of api_*.c with its fields and its function.
 *
 * What comes in is held against the fields before the function sees it; what goes out, in the tests. */
#ifndef WEB_API_H
#define WEB_API_H

#include "body.h"
#include "node/node_act.h"

enum field_kind {
	FIELD_TEXT,
	FIELD_NUMBER, /* a natural number */
	FIELD_SWITCH, /* true or false; in a query: there or not */
	FIELD_TIME,   /* RFC 3339, or a day alone */
	FIELD_HEX,    /* 32 bytes in hexadecimal: a key, a token, a commitment */
	FIELD_TEXTS,  /* a list of them; in a query: with commas between */
};
struct field {
	const char *name; /* NULL ends a table */
	enum field_kind kind;
	bool required;       /* of answers: never null */
	const char *help;    /* one line */
	const char *choices; /* of a text or texts: with commas between; NULL: any */
};

struct call;
struct operation {
	struct route
		route; /* filled in by the table: method, path, right, body_max, and begin when not any body is read */
	const char *summary, *group;
	const struct field *headers;               /* that the function looks at itself; NULL: none */
	const struct field *query, *body, *answer; /* NULL: none. Without body fields the body is bytes */
	bool answers_list;                         /* of objects of `answer` */
	const char *media; /* of what is answered, where that is not JSON by `answer`; NULL: that it is */
	bool is_outside;   /* does not use the node, so it need not wait for its turn */
	unsigned status;   /* of success; 0: 200 */
	enum rs_code (*run)(struct call *call, struct rs_error *err);
};

struct call {
	struct request *request;
	const struct operation *operation;
	struct rs_node *node;         /* NULL where the operation is outside */
	const struct rs_actor *actor; /* NULL: nobody had to say who calls */
	json_t *body;                 /* NULL: bytes, or none */
	json_t *query;                /* an object of texts */
	struct rs_json json;          /* within the object that is answered, or between those of the list */
};

/* Body and query against the operation's fields; fills `query`. errors  RS_USAGE naming the field */
enum rs_code call_check(struct call *call, struct rs_error *err);
/* Of the body, or else of the query; NULL, false or 0 where there is none. The texts live as long as the call. */
const char *call_text(const struct call *call, const char *name);
bool call_flag(const struct call *call, const char *name);
uint64_t call_number(const struct call *call, const char *name, uint64_t fallback);
uint64_t call_time(const struct call *call, const char *name, uint64_t fallback_ms);
bool call_hex(const struct call *call, const char *name, struct rs_digest *out);
/* The path's parameter. */
enum rs_code call_name(const struct call *call, char out[static 129], struct rs_error *err);
/* The body's bytes, when they were not taken as JSON. */
struct rs_bytes call_bytes(const struct call *call);

/* Members of the answer. */
void put_text(struct call *call, const char *key, const char *value); /* NULL and "": null */
void put_number(struct call *call, const char *key, uint64_t value);
void put_switch(struct call *call, const char *key, bool value);
void put_time(struct call *call, const char *key, uint64_t time_ms); /* 0: null */
void put_hex(struct call *call, const char *key, const void *bytes, size_t size);
/* A row of a list. */
void row_begin(struct call *call);
enum rs_code row_end(struct call *call, struct rs_error *err);

/* Signs the act for the caller and tells its entry as "entry". */
enum rs_code call_act(struct call *call, struct rs_act *act, struct rs_error *err);
/* By "subject" and "issuer". */
struct rs_node_subject;
enum rs_code call_subject(const struct call *call, struct rs_node_subject *out, struct rs_error *err);

/* All of them; NULL behind the last. */
const struct operation *operation_at(size_t index);
/* Rows of fields that several tables have. */
#define FIELDS_SUBJECT                                                                              \
	{"subject", FIELD_TEXT, true, "the patient's identifier (PatientID), as sealed", NULL},     \
	{                                                                                           \
		"issuer", FIELD_TEXT, false, "who issued that identifier (IssuerOfPatientID)", NULL \
	}
#define FIELD_ENTRY                                                                  \
	{                                                                            \
		"entry", FIELD_NUMBER, true, "where that stands in the ledger", NULL \
	}

#endif
