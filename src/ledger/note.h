/* What checkpoints signed by a log and checkpoints cosigned by witnesses have in common. */
#ifndef RS_LEDGER_NOTE_H
#define RS_LEDGER_NOTE_H

#include "ledger/ledger_log.h"

#define EM_DASH "\xe2\x80\x94"

enum rs_code note_malformed(struct rs_error *err, const char *what);
/* 1 to RS_NOTE_NAME_MAX bytes of UTF-8 without white space and plus. */
bool note_name_is_fit(struct rs_str name);
enum rs_code note_key_init(struct rs_note_key *out, enum rs_note_algorithm algorithm, const char *name,
                           const uint8_t public_key[static RS_KEY_SIZE], struct rs_error *err);
enum rs_code note_key_parse(struct rs_str vkey, enum rs_note_algorithm algorithm, struct rs_note_key *out,
                            struct rs_error *err);
/* The signed text with its line end, and the signature lines with theirs. */
enum rs_code note_split(struct rs_str note, struct rs_str *out_body, struct rs_str *out_lines,
                        struct rs_error *err);
/* Lines behind the third are passed over when `extended`, else refused. */
enum rs_code note_parse_body(struct rs_str body, bool extended, struct rs_checkpoint *out,
                             struct rs_error *err);
/* A decimal without leading zeros. */
bool note_parse_decimal(struct rs_str text, uint64_t *out);

#endif
