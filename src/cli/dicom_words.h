/* What commands that ask DICOM peers share: whom to ask, and how, and what matches tell. */
#ifndef RS_CLI_DICOM_WORDS_H
#define RS_CLI_DICOM_WORDS_H

#include "command.h"
#include "gateway/gateway_client.h"

/* Rows for the options that dicom_peer() reads. */
#define DICOM_PEER_OPTIONS                                                                            \
	{"called", "TITLE", "the peer's AE title (default ANY-SCP)"},                                 \
		{"ae", "TITLE", "ours (default RADSEAL)"},                                            \
		{"tls", NULL, "over TLS; the peer's certificate has to be that of its host"},         \
		{"certificate", "FILE", "ours, shown to peers that ask for one, PEM"},                \
		{"certificate-key", "FILE", "its key, PEM"},                                          \
		{"authorities", "FILE",                                                               \
	         "that the peer's certificate is of, PEM (default: those of the system)"},            \
		{"timeout", "SECONDS", "without an answer (default 60)"},                             \
	{                                                                                             \
		"retries", "N",                                                                       \
			"of broken connections and of instances the peer has no room for (default 3)" \
	}
enum rs_code dicom_peer(const struct command_line *line, const char *address, struct rs_dicom_peer *out,
                        struct rs_error *err);

/* A value between tabs, control characters as spaces. */
void matches_cell(struct rs_buffer *out, struct rs_str value, bool is_first);
/* What matches tell of the keys ("PatientID=P17", or a keyword alone): a table with a head, or objects. */
struct matches {
	struct rs_buffer text;
	struct rs_json json;
	bool as_json;
	const char *const *keys;
	size_t key_count;
};
void matches_begin(struct matches *matches, bool as_json, const char *const *keys, size_t count);
enum rs_code matches_take(void *context, const struct rs_dicom *match, struct rs_error *err);
enum rs_code matches_print(struct matches *matches, struct rs_error *err);
void matches_finish(struct matches *matches);

#endif
