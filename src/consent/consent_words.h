/* Sets of a consent's terms as words, and terms as JSON. */
#ifndef RS_CONSENT_WORDS_H
#define RS_CONSENT_WORDS_H

#include "contract/contract_consents.h"

enum rs_consent_word { RS_WORD_ROLE, RS_WORD_PURPOSE, RS_WORD_OPERATION };
/* 0 for a word that is none. */
unsigned rs_consent_word_number(enum rs_consent_word kind, struct rs_str word);
/* Members of the object that is open: effect, organisation, roles, purposes, operations, from, before, studies. */
void rs_consent_terms_json(struct rs_json *json, const struct rs_consent_terms *terms);

#endif
