/* What FHIR's codes stand for here, and the data types that carry them. */
#include <string.h>

#include "fhir.h"

#define ANY_ROLE RS_SET_ROLES_ALL
#define USE (RS_SET(RS_OPERATION_EXTRACT) | RS_SET(RS_OPERATION_TRAIN) | RS_SET(RS_OPERATION_PREDICT))

static const struct fhir_code roles[] = {
#define ROLE_CODE(member, number, name, text) {SYSTEM_ROLE, name, RS_SET(number)},
	RS_ROLES(ROLE_CODE)
#undef ROLE_CODE
		{SYSTEM_PARTICIPATION, "IRCP", ANY_ROLE},
	{SYSTEM_PARTICIPATION, "PRCP", ANY_ROLE},
};
static const struct fhir_code purposes[] = {
#define PURPOSE_CODE(member, number, name, code) \
	{SYSTEM_ACT_REASON, code, RS_SET(number) & RS_SET_PURPOSES_ALL},
	RS_PURPOSES(PURPOSE_CODE)
#undef PURPOSE_CODE
};
static const struct fhir_code actions[] = {
#define OPERATION_CODE(member, number, name) {SYSTEM_OPERATION, name, RS_SET(number)},
	RS_OPERATIONS(OPERATION_CODE)
#undef OPERATION_CODE
		{SYSTEM_ACTION, "access", RS_SET(RS_OPERATION_READ)},
	{SYSTEM_ACTION, "disclose", RS_SET(RS_OPERATION_EXPORT)},
	{SYSTEM_ACTION, "use", USE},
};
const struct fhir_codes fhir_roles = {roles, RS_COUNT(roles), "a recipient"};
const struct fhir_codes fhir_purposes = {purposes, RS_COUNT(purposes), "a purpose that needs a consent"};
const struct fhir_codes fhir_actions = {actions, RS_COUNT(actions), "an operation on images"};

enum rs_code fhir_read_text(const json_t *value, const char **out, struct rs_error *err)
{
	const char *text = json_string_value(value);
	if (!text || !text[0])
		return rs_error_set(err, RS_MALFORMED, "a text that is not empty must stand here");
	*out = text;
	return RS_OK;
}

static enum rs_code read_text_into(struct fhir_reading *reading, const json_t *value, void *target,
                                   struct rs_error *err)
{
	(void)reading;
	return fhir_read_text(value, target, err);
}

static enum rs_code note(struct fhir_reading *reading, const char *name, struct rs_error *err)
{
	rs_buffer_printf(reading->notes, "%s carries no rule and is left out\n", name);
	return rs_buffer_check(reading->notes, "notes on a consent", err);
}

static enum rs_code read_member(struct fhir_reading *reading, const char *name, const json_t *value,
                                const struct fhir_element *elements, size_t count, void *target,
                                struct rs_error *err)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(elements[i].name, name) != 0)
			continue;
		if (elements[i].read)
			return elements[i].read(reading, value, target, err);
		return elements[i].reason ? rs_error_set(err, RS_UNSUPPORTED, "%s", elements[i].reason)
		                          : note(reading, name, err);
	}
	return rs_error_set(err, RS_UNSUPPORTED, "it is no element that is read here (FHIR R%d)",
	                    (int)reading->version);
}

enum rs_code fhir_read_object(struct fhir_reading *reading, const json_t *object,
                              const struct fhir_element *elements, size_t count, void *target,
                              struct rs_error *err)
{
	if (!json_is_object(object))
		return rs_error_set(err, RS_MALFORMED, "an object must stand here");
	for (void *at = json_object_iter((json_t *)(uintptr_t)object); at;
	     at = json_object_iter_next((json_t *)(uintptr_t)object, at)) {
		const char *name = json_object_iter_key(at);
		struct rs_error own = {0};
		if (read_member(reading, name, json_object_iter_value(at), elements, count, target, &own) ==
		    RS_OK)
			continue;
		rs_error_context(&own, "%.64s", name);
		if (err)
			*err = own;
		return own.code;
	}
	return RS_OK;
}

enum rs_code fhir_read_each(struct fhir_reading *reading, const json_t *array, fhir_read *read, void *target,
                            struct rs_error *err)
{
	if (!json_is_array(array) || json_array_size(array) == 0)
		return rs_error_set(err, RS_MALFORMED, "a list that is not empty must stand here");
	for (size_t i = 0; i < json_array_size(array); i++)
		if (read(reading, json_array_get(array, i), target, err) != RS_OK)
			return rs_error_context(err, "[%zu]", i);
	return RS_OK;
}

struct coding {
	const char *system, *code;
};

static enum rs_code read_coding_system(struct fhir_reading *reading, const json_t *value, void *target,
                                       struct rs_error *err)
{
	return read_text_into(reading, value, &((struct coding *)target)->system, err);
}

static enum rs_code read_coding_code(struct fhir_reading *reading, const json_t *value, void *target,
                                     struct rs_error *err)
{
	return read_text_into(reading, value, &((struct coding *)target)->code, err);
}

enum rs_code fhir_read_coding(struct fhir_reading *reading, const json_t *value,
                              const struct fhir_codes *codes, uint32_t *set, struct rs_error *err)
{
	static const struct fhir_element elements[] = {{"system", read_coding_system, NULL},
	                                               {"code", read_coding_code, NULL},
	                                               {"display", NULL, NULL}};
	struct coding coding = {"", ""};
	RS_TRY(fhir_read_object(reading, value, FHIR_ELEMENTS(elements), &coding, err));
	for (size_t i = 0; i < codes->count; i++)
		if (codes->list[i].set && strcmp(codes->list[i].system, coding.system) == 0 &&
		    strcmp(codes->list[i].code, coding.code) == 0) {
			*set |= codes->list[i].set;
			return RS_OK;
		}
	return rs_error_set(err, RS_UNSUPPORTED, "%.100s|%.60s is not known here as %s", coding.system,
	                    coding.code, codes->purpose);
}

struct concept {
	const struct fhir_codes *codes;
	uint32_t set; /* several codings name one thing: what all of them stand for */
};

static enum rs_code read_concept_coding(struct fhir_reading *reading, const json_t *value, void *target,
                                        struct rs_error *err)
{
	struct concept *concept = target;
	uint32_t one = 0;
	RS_TRY(fhir_read_coding(reading, value, concept->codes, &one, err));
	concept->set &= one;
	return concept->set ? RS_OK : rs_error_set(err, RS_UNSUPPORTED, "the codes contradict each other");
}

static enum rs_code read_codings(struct fhir_reading *reading, const json_t *value, void *target,
                                 struct rs_error *err)
{
	return fhir_read_each(reading, value, read_concept_coding, target, err);
}

enum rs_code fhir_read_concept(struct fhir_reading *reading, const json_t *value,
                               const struct fhir_codes *codes, uint32_t *set, struct rs_error *err)
{
	static const struct fhir_element elements[] = {{"coding", read_codings, NULL}, {"text", NULL, NULL}};
	struct concept concept = {codes, UINT32_MAX};
	RS_TRY(fhir_read_object(reading, value, FHIR_ELEMENTS(elements), &concept, err));
	if (concept.set == UINT32_MAX)
		return rs_error_set(err, RS_UNSUPPORTED, "it has no coding");
	*set |= concept.set;
	return RS_OK;
}

static enum rs_code read_literal(struct fhir_reading *reading, const json_t *value, void *target,
                                 struct rs_error *err)
{
	return read_text_into(reading, value, &((struct fhir_reference *)target)->literal, err);
}

static enum rs_code read_system(struct fhir_reading *reading, const json_t *value, void *target,
                                struct rs_error *err)
{
	return read_text_into(reading, value, &((struct fhir_reference *)target)->system, err);
}

static enum rs_code read_value(struct fhir_reading *reading, const json_t *value, void *target,
                               struct rs_error *err)
{
	return read_text_into(reading, value, &((struct fhir_reference *)target)->value, err);
}

static enum rs_code read_identifier(struct fhir_reading *reading, const json_t *value, void *target,
                                    struct rs_error *err)
{
	static const struct fhir_element elements[] = {
		{"system", read_system, NULL}, {"value", read_value, NULL}, {"use", NULL, NULL}};
	return fhir_read_object(reading, value, FHIR_ELEMENTS(elements), target, err);
}

/* Of a reference, and of an identifier on its own. */
enum rs_code fhir_read_reference(struct fhir_reading *reading, const json_t *value, void *target,
                                 struct rs_error *err)
{
	static const struct fhir_element elements[] = {{"reference", read_literal, NULL},
	                                               {"identifier", read_identifier, NULL},
	                                               {"system", read_system, NULL},
	                                               {"value", read_value, NULL},
	                                               {"type", NULL, NULL},
	                                               {"display", NULL, NULL},
	                                               {"use", NULL, NULL}};
	return fhir_read_object(reading, value, FHIR_ELEMENTS(elements), target, err);
}

bool fhir_reference_digest(const struct fhir_reference *reference, const char *system, struct rs_digest *out)
{
	return reference->system && reference->value && strcmp(reference->system, system) == 0 &&
	       rs_hex_decode(rs_str_from(reference->value), out->bytes, RS_SHA256_SIZE);
}
