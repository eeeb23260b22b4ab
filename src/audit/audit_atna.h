/* Audit messages as collectors take them (IHE ATNA): DICOM PS3.15 section A.5 as XML, in syslog messages (RFC 5424)
 * with their size before them (RFC 5425). Users are keys, patients are tokens, as on the ledger; no name is in them. */
#ifndef RS_AUDIT_ATNA_H
#define RS_AUDIT_ATNA_H

#include "audit/audit.h"

struct rs_atna_source {
	const char *origin; /* of the log: what the source is called */
	const char *host;   /* for the syslog header; no space */
	unsigned process;
};
#define RS_ATNA_MESSAGE_MAX ((size_t)64 * 1024)

/* What happens at the doors, and never reaches the ledger. */
enum rs_atna_kind {
	RS_ATNA_START = 1,
	RS_ATNA_STOP,
	RS_ATNA_LOGIN,
	RS_ATNA_LOGOUT,
	RS_ATNA_REFUSED,
	RS_ATNA_LOST
};
struct rs_atna_event {
	enum rs_atna_kind kind;
	bool failed;
	uint64_t time_ms;
	char user[65];  /* the member's key in hexadecimal; "" for nobody known */
	char host[64];  /* where it came from, in numbers; "" */
	uint64_t count; /* RS_ATNA_LOST: events that were not kept */
};

/* One framed syslog message each, appended. The line's message names its entry, by which doubles are told. */
enum rs_code rs_atna_line(const struct rs_atna_source *source, const struct rs_audit_line *line,
                          struct rs_buffer *out, struct rs_error *err);
enum rs_code rs_atna_event(const struct rs_atna_source *source, const struct rs_atna_event *event,
                           uint64_t number, struct rs_buffer *out, struct rs_error *err);

#endif
