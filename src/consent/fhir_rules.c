/* Provisions of a FHIR consent, as rules of ours. */
#include <string.h>

#include "fhir.h"
#include "token.h"

#define DEPTH_MAX 4

/* One provision, without its parents. Sets are empty where it says nothing. */
struct provision {
	struct rs_consent_terms terms;
	enum rs_consent_effect type; /* 0: not said */
	bool has_actor;
	const json_t *nested;
};

static enum rs_code read_type(struct fhir_reading *reading, const json_t *value, void *target,
                              struct rs_error *err)
{
	const char *text = json_string_value(value);
	(void)reading;
	if (!text || (strcmp(text, "permit") != 0 && strcmp(text, "deny") != 0))
		return rs_error_set(err, RS_MALFORMED, "permit or deny must stand here");
	((struct provision *)target)->type = text[0] == 'p' ? RS_CONSENT_PERMIT : RS_CONSENT_DENY;
	return RS_OK;
}

static enum rs_code read_url(struct fhir_reading *reading, const json_t *value, void *target,
                             struct rs_error *err)
{
	const char *url = json_string_value(value);
	(void)reading, (void)target;
	return url && strcmp(url, R4_TYPE_IN_R5) == 0
	               ? RS_OK
	               : rs_error_set(err, RS_UNSUPPORTED, "%.120s is not known here", url ? url : "it");
}

static enum rs_code read_modifier(struct fhir_reading *reading, const json_t *value, void *target,
                                  struct rs_error *err)
{
	static const struct fhir_element elements[] = {{"url", read_url, NULL},
	                                               {"valueCode", read_type, NULL}};
	if (!json_object_get(value, "url"))
		return rs_error_set(err, RS_MALFORMED, "it has no url");
	return fhir_read_object(reading, value, FHIR_ELEMENTS(elements), target, err);
}

static enum rs_code read_modifiers(struct fhir_reading *reading, const json_t *value, void *target,
                                   struct rs_error *err)
{
	return fhir_read_each(reading, value, read_modifier, target, err);
}

static enum rs_code read_period(struct fhir_reading *reading, const json_t *value, void *target,
                                struct rs_error *err)
{
	return fhir_read_period(reading, value, &((struct provision *)target)->terms, err);
}

/* Whom the document names by a reference of its own is who the caller says, when it is one. */
static enum rs_code take_given(struct fhir_reading *reading, const char *literal, struct rs_str *out,
                               struct rs_error *err)
{
	if (!literal || reading->context->organisation.size == 0)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "%.80s: say which organisation of the ledger that is, or name it by an "
		                    "identifier with system " SYSTEM_ORGANISATION,
		                    literal ? literal : "it");
	if (!rs_str_starts_with(rs_str_from(literal), "Organization/"))
		return rs_error_set(err, RS_UNSUPPORTED, "%.80s is no organisation", literal);
	if (reading->organisation && strcmp(reading->organisation, literal) != 0)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "%.80s: more than one organisation is named by a reference", literal);
	if (!reading->organisation)
		rs_buffer_printf(reading->notes, "%.80s is taken for " RS_STR_FORMAT "\n", literal,
		                 RS_STR_ARGUMENTS(reading->context->organisation));
	reading->organisation = literal;
	*out = reading->context->organisation;
	return RS_OK;
}

static enum rs_code set_organisation(struct provision *provision, struct rs_str name, struct rs_error *err)
{
	struct rs_consent_terms *terms = &provision->terms;
	bool differs = provision->has_actor && !rs_str_equal(rs_consent_terms_organisation(terms), name);
	if (differs)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "a consent is given to one organisation: write one for each");
	if (name.size > RS_ORGANISATION_NAME_MAX)
		return rs_error_set(err, RS_MALFORMED, "the name has more than %d bytes",
		                    RS_ORGANISATION_NAME_MAX);
	if (name.size)
		memcpy(terms->organisation, name.data, name.size);
	terms->organisation_size = name.size;
	provision->has_actor = true;
	return RS_OK;
}

static enum rs_code read_actor_reference(struct fhir_reading *reading, const json_t *value, void *target,
                                         struct rs_error *err)
{
	struct fhir_reference reference = {NULL, NULL, NULL};
	struct rs_str name = {"", 0};
	RS_TRY(fhir_read_reference(reading, value, &reference, err));
	if (reference.system && strcmp(reference.system, SYSTEM_ORGANISATION) == 0 && reference.value)
		name = rs_str_from(reference.value);
	else if (!reference.system || strcmp(reference.system, SYSTEM_ANYONE) != 0)
		RS_TRY(take_given(reading, reference.system ? NULL : reference.literal, &name, err));
	return set_organisation(target, name, err);
}

static enum rs_code read_actor_role(struct fhir_reading *reading, const json_t *value, void *target,
                                    struct rs_error *err)
{
	return fhir_read_concept(reading, value, &fhir_roles, &((struct provision *)target)->terms.roles,
	                         err);
}

static enum rs_code read_actor(struct fhir_reading *reading, const json_t *value, void *target,
                               struct rs_error *err)
{
	static const struct fhir_element elements[] = {{"role", read_actor_role, NULL},
	                                               {"reference", read_actor_reference, NULL}};
	struct provision *provision = target;
	if (!json_object_get(value, "reference"))
		return rs_error_set(err, RS_UNSUPPORTED, "reference is missing: who the actor is");
	if (!json_object_get(value, "role"))
		provision->terms.roles = RS_SET_ROLES_ALL;
	return fhir_read_object(reading, value, FHIR_ELEMENTS(elements), provision, err);
}

static enum rs_code read_actors(struct fhir_reading *reading, const json_t *value, void *target,
                                struct rs_error *err)
{
	return fhir_read_each(reading, value, read_actor, target, err);
}

static enum rs_code read_action(struct fhir_reading *reading, const json_t *value, void *target,
                                struct rs_error *err)
{
	return fhir_read_concept(reading, value, &fhir_actions,
	                         &((struct provision *)target)->terms.operations, err);
}

static enum rs_code read_actions(struct fhir_reading *reading, const json_t *value, void *target,
                                 struct rs_error *err)
{
	return fhir_read_each(reading, value, read_action, target, err);
}

static enum rs_code read_purpose(struct fhir_reading *reading, const json_t *value, void *target,
                                 struct rs_error *err)
{
	return fhir_read_coding(reading, value, &fhir_purposes, &((struct provision *)target)->terms.purposes,
	                        err);
}

static enum rs_code read_purposes(struct fhir_reading *reading, const json_t *value, void *target,
                                  struct rs_error *err)
{
	return fhir_read_each(reading, value, read_purpose, target, err);
}

/* Kept ascending, as on the ledger. */
static enum rs_code add_study(struct rs_consent_terms *terms, const struct rs_digest *study,
                              struct rs_error *err)
{
	size_t at = 0;
	int order = 1;
	while (at < terms->studies_size &&
	       (order = memcmp(terms->studies + at, study->bytes, RS_SHA256_SIZE)) < 0)
		at += RS_SHA256_SIZE;
	if (at < terms->studies_size && order == 0)
		return rs_error_set(err, RS_MALFORMED, "the same study stands here twice");
	if (terms->studies_size == sizeof terms->studies)
		return rs_error_set(err, RS_UNSUPPORTED, "more than %d studies", RS_STUDIES_MAX);
	memmove(terms->studies + at + RS_SHA256_SIZE, terms->studies + at, terms->studies_size - at);
	memcpy(terms->studies + at, study->bytes, RS_SHA256_SIZE);
	terms->studies_size += RS_SHA256_SIZE;
	return RS_OK;
}

static enum rs_code read_meaning(struct fhir_reading *reading, const json_t *value, void *target,
                                 struct rs_error *err)
{
	const char *text = json_string_value(value);
	(void)reading, (void)target;
	return text && strcmp(text, "instance") == 0
	               ? RS_OK
	               : rs_error_set(err, RS_UNSUPPORTED, "only instance is known here");
}

static enum rs_code read_data_reference(struct fhir_reading *reading, const json_t *value, void *target,
                                        struct rs_error *err)
{
	struct fhir_reference reference = {NULL, NULL, NULL};
	struct rs_digest study;
	RS_TRY(fhir_read_reference(reading, value, &reference, err));
	if (!fhir_reference_digest(&reference, SYSTEM_STUDY, &study))
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "it is no study by an identifier with system " SYSTEM_STUDY);
	return add_study(&((struct provision *)target)->terms, &study, err);
}

static enum rs_code read_datum(struct fhir_reading *reading, const json_t *value, void *target,
                               struct rs_error *err)
{
	static const struct fhir_element elements[] = {{"meaning", read_meaning, NULL},
	                                               {"reference", read_data_reference, NULL}};
	if (!json_object_get(value, "meaning") || !json_object_get(value, "reference"))
		return rs_error_set(err, RS_MALFORMED, "meaning and reference are needed");
	return fhir_read_object(reading, value, FHIR_ELEMENTS(elements), target, err);
}

static enum rs_code read_data(struct fhir_reading *reading, const json_t *value, void *target,
                              struct rs_error *err)
{
	return fhir_read_each(reading, value, read_datum, target, err);
}

static enum rs_code keep_nested(struct fhir_reading *reading, const json_t *value, void *target,
                                struct rs_error *err)
{
	(void)reading;
	if (!json_is_array(value) || json_array_size(value) == 0)
		return rs_error_set(err, RS_MALFORMED, "a list that is not empty must stand here");
	((struct provision *)target)->nested = value;
	return RS_OK;
}

static const char no_labels[] = "consents of ours do not speak about kinds of data; name studies in data";
static const struct fhir_element elements_r4[] = {
	{"type", read_type, NULL},          {"period", read_period, NULL},
	{"actor", read_actors, NULL},       {"action", read_actions, NULL},
	{"purpose", read_purposes, NULL},   {"data", read_data, NULL},
	{"provision", keep_nested, NULL},   {"id", NULL, NULL},
	{"securityLabel", NULL, no_labels}, {"class", NULL, no_labels},
	{"code", NULL, no_labels},          {"dataPeriod", NULL, no_labels},
};
static const struct fhir_element elements_r5[] = {
	{"modifierExtension", read_modifiers, NULL},
	{"period", read_period, NULL},
	{"actor", read_actors, NULL},
	{"action", read_actions, NULL},
	{"purpose", read_purposes, NULL},
	{"data", read_data, NULL},
	{"provision", keep_nested, NULL},
	{"id", NULL, NULL},
	{"securityLabel", NULL, no_labels},
	{"documentType", NULL, no_labels},
	{"resourceType", NULL, no_labels},
	{"code", NULL, no_labels},
	{"dataPeriod", NULL, no_labels},
	{"expression", NULL, no_labels},
};

static enum rs_code add_rule(struct fhir_reading *reading, const struct rs_consent_terms *terms,
                             enum rs_consent_effect effect, struct rs_error *err)
{
	struct rs_fhir_consent *out = reading->out;
	if (out->count == RS_FHIR_RULES_MAX)
		return rs_error_set(err, RS_UNSUPPORTED, "more than %d rules", RS_FHIR_RULES_MAX);
	if (effect == RS_CONSENT_PERMIT && terms->organisation_size == 0)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "actor: it permits everyone; a consent of ours permits one organisation");
	out->rules[out->count] = *terms;
	out->rules[out->count++].effect = effect;
	return RS_OK;
}

/* What is around a provision: its limits, and whether it is permitted or denied there (0: neither is said). */
struct around {
	struct rs_consent_terms terms;
	enum rs_consent_effect effect;
	unsigned depth;
};

/* Permit or deny: said, or in R5 the other of what is around it. */
static enum rs_code effect_of(const struct fhir_reading *reading, const struct provision *provision,
                              const struct around *around, enum rs_consent_effect *out, struct rs_error *err)
{
	enum rs_consent_effect outside = around->depth ? around->effect : reading->base;
	*out = provision->type;
	if (*out == 0 && reading->version == RS_FHIR_R5 && outside)
		*out = outside == RS_CONSENT_PERMIT ? RS_CONSENT_DENY : RS_CONSENT_PERMIT;
	/* In R4 the first provision may be what holds for all within it, and nothing else. */
	if (*out == 0 && (around->depth || !provision->nested || reading->version == RS_FHIR_R5))
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "type is missing: whether it permits, denies or only limits is not said");
	if (around->effect == RS_CONSENT_DENY && *out)
		return rs_error_set(
			err, RS_UNSUPPORTED,
			"a rule within a denial cannot be kept: a denial overrides; write what is denied");
	if (around->effect == RS_CONSENT_PERMIT && *out == RS_CONSENT_PERMIT)
		return rs_error_set(err, RS_UNSUPPORTED, "a permission within a permission excepts nothing");
	return RS_OK;
}

static enum rs_code read_provision(struct fhir_reading *reading, const json_t *value, void *target,
                                   struct rs_error *err);

static enum rs_code read_provisions(struct fhir_reading *reading, const json_t *list, struct around *around,
                                    struct rs_error *err)
{
	if (fhir_read_each(reading, list, read_provision, around, err) != RS_OK)
		return rs_error_context(err, "provision");
	return RS_OK;
}

static enum rs_code read_provision(struct fhir_reading *reading, const json_t *value, void *target,
                                   struct rs_error *err)
{
	const struct around *around = target;
	struct around within = *around;
	struct provision provision = {.type = 0};
	bool is_r4 = reading->version == RS_FHIR_R4;
	if (around->depth == DEPTH_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "provisions lie more than %d deep in each other",
		                    DEPTH_MAX);
	RS_TRY(fhir_read_object(reading, value, is_r4 ? elements_r4 : elements_r5,
	                        is_r4 ? RS_COUNT(elements_r4) : RS_COUNT(elements_r5), &provision, err));
	if (!terms_narrow(&within.terms, &provision.terms))
		return rs_error_set(err, RS_UNSUPPORTED, "it lies outside of what is around it");
	RS_TRY(effect_of(reading, &provision, around, &within.effect, err));
	within.depth++;
	if (within.effect)
		RS_TRY(add_rule(reading, &within.terms, within.effect, err));
	return provision.nested ? read_provisions(reading, provision.nested, &within, err) : RS_OK;
}

static bool any_rule(const struct rs_fhir_consent *consent, enum rs_consent_effect effect)
{
	for (size_t i = 0; i < consent->count; i++)
		if (consent->rules[i].effect == effect)
			return true;
	return false;
}

/* What is said of all that no provision names. */
static enum rs_code check_base(struct fhir_reading *reading, struct rs_error *err)
{
	const char *element = reading->version == RS_FHIR_R4 ? "policyRule" : "decision";
	bool permits = any_rule(reading->out, RS_CONSENT_PERMIT);
	if (reading->base == RS_CONSENT_PERMIT && (reading->version == RS_FHIR_R5 || !permits))
		return rs_error_set(
			err, RS_UNSUPPORTED,
			"%s: it permits everyone what the provisions do not name; a consent of ours "
			"permits one organisation",
			element);
	if (reading->base == RS_CONSENT_DENY && permits) {
		rs_buffer_printf(reading->notes,
		                 "%s denies what no provision permits: as the contract does by default\n",
		                 element);
		return rs_buffer_check(reading->notes, "notes on a consent", err);
	}
	return RS_OK;
}

enum rs_code fhir_read_rules(struct fhir_reading *reading, struct rs_error *err)
{
	struct around around = {.terms = reading->whole};
	around.terms.roles = RS_SET_ROLES_ALL;
	around.terms.purposes = RS_SET_PURPOSES_ALL;
	around.terms.operations = RS_SET_OPERATIONS_ALL;
	if (reading->provision && reading->version == RS_FHIR_R5)
		RS_TRY(read_provisions(reading, reading->provision, &around, err));
	else if (reading->provision && read_provision(reading, reading->provision, &around, err) != RS_OK)
		return rs_error_context(err, "provision");
	if (!reading->provision && reading->base != RS_CONSENT_DENY)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "provision is missing: nothing is said to be permitted or denied");
	if (!reading->provision)
		RS_TRY(add_rule(reading, &around.terms, RS_CONSENT_DENY, err));
	return check_base(reading, err);
}
