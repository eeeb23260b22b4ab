/* Codes of FHIR consents, and what their readers share. */
#ifndef CONSENT_FHIR_H
#define CONSENT_FHIR_H

#include <jansson.h>

#include "consent/consent_fhir.h"

#define OURS "https://radseal.local/fhir/"
#define SYSTEM_CONSENT OURS "consent"
#define SYSTEM_SUBJECT OURS "subject"
#define SYSTEM_STUDY OURS "study"
#define SYSTEM_ORGANISATION OURS "organisation"
#define SYSTEM_ANYONE OURS "any-organisation"
#define SYSTEM_ROLE OURS "role"
#define SYSTEM_OPERATION OURS "operation"
#define TERMINOLOGY "http://terminology.hl7.org/CodeSystem/"
#define SYSTEM_SCOPE TERMINOLOGY "consentscope"
#define SYSTEM_ACT_CODE TERMINOLOGY "v3-ActCode"
#define SYSTEM_ACT_REASON TERMINOLOGY "v3-ActReason"
#define SYSTEM_PARTICIPATION TERMINOLOGY "v3-ParticipationType"
#define SYSTEM_ACTION TERMINOLOGY "consentaction"
#define SYSTEM_LOINC "http://loinc.org"
#define R4_TYPE_IN_R5 "http://hl7.org/fhir/4.0/StructureDefinition/extension-Consent.provision.type"
#define FHIR_TIME_MAX_MS ((uint64_t)253402300799999) /* 9999-12-31T23:59:59.999Z */

/* A code, and the set of ours that it stands for. */
struct fhir_code {
	const char *system, *code;
	uint32_t set;
};
struct fhir_codes {
	const struct fhir_code *list;
	size_t count;
	const char *purpose; /* "purpose of use": for sentences */
};
extern const struct fhir_codes fhir_roles, fhir_purposes, fhir_actions;

struct fhir_reading {
	const struct rs_fhir_context *context;
	enum rs_fhir_version version;
	struct rs_fhir_consent *out;
	struct rs_buffer *notes;
	const char *patient, *organisation; /* references that are none of ours, as met first */
	enum rs_consent_effect base;        /* policyRule or decision; 0: not said */
	struct rs_consent_terms whole;      /* limits of the whole consent: R5's period */
	const json_t *provision;
};

typedef enum rs_code fhir_read(struct fhir_reading *reading, const json_t *value, void *target,
                               struct rs_error *err);
/* read NULL: refused with the reason; that NULL, too: carries no rule, noted. */
struct fhir_element {
	const char *name;
	fhir_read *read;
	const char *reason;
};
/* Every member of the object has to be one of the elements. */
enum rs_code fhir_read_object(struct fhir_reading *reading, const json_t *object,
                              const struct fhir_element *elements, size_t count, void *target,
                              struct rs_error *err);
enum rs_code fhir_read_each(struct fhir_reading *reading, const json_t *array, fhir_read *read, void *target,
                            struct rs_error *err);
/* Coding and CodeableConcept: what of ours the codes stand for together; added to the set. */
enum rs_code fhir_read_coding(struct fhir_reading *reading, const json_t *value,
                              const struct fhir_codes *codes, uint32_t *set, struct rs_error *err);
enum rs_code fhir_read_concept(struct fhir_reading *reading, const json_t *value,
                               const struct fhir_codes *codes, uint32_t *set, struct rs_error *err);
enum rs_code fhir_read_text(const json_t *value, const char **out, struct rs_error *err);
fhir_read fhir_read_period; /* into struct rs_consent_terms */

/* A reference or identifier, as far as it tells who or what. */
struct fhir_reference {
	const char *literal, *system, *value;
};
fhir_read fhir_read_reference;
/* 32 bytes under our system; false when it is none. */
bool fhir_reference_digest(const struct fhir_reference *reference, const char *system, struct rs_digest *out);

/* The provisions become rules. */
enum rs_code fhir_read_rules(struct fhir_reading *reading, struct rs_error *err);
#define FHIR_ELEMENTS(table) table, RS_COUNT(table)

#endif
