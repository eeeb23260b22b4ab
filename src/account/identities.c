/* Rules about tokens and certificates: their file, and what fits. */
#include "account/account_identities.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "providers.h"

#define FILE_SIZE_MAX ((size_t)1 << 20)
#define RULES_MAX 4096
#define SAN_MAX 512

enum rule_kind { FOR_TOKENS, FOR_CERTIFICATES };
struct rule {
	enum rule_kind kind;
	struct rs_identity identity;
	const char *issuer;
	const json_t *claims;
	const char *san;
	struct rs_digest fingerprint; /* where there is no san */
};

struct rs_identities {
	const struct rs_world *world;
	json_t *document; /* all texts of providers and rules are in it */
	struct providers providers;
	struct rule *rules;
	size_t rule_count;
};

void rs_identities_free(struct rs_identities *identities)
{
	if (!identities)
		return;
	providers_finish(&identities->providers);
	json_decref(identities->document);
	rs_free(identities->rules);
	rs_free(identities);
}

static void identities_finish(struct rs_identities **identities) { rs_identities_free(*identities); }

enum rs_code object_texts(const json_t *object, const struct text_field *fields, size_t count,
                          struct rs_error *err)
{
	const char *key;
	json_t *value;
	size_t found = 0;
	for (size_t i = 0; i < count; i++) {
		value = json_object_get(object, fields[i].name);
		found += value != NULL;
		if (!fields[i].out)
			continue;
		*fields[i].out = json_string_value(value);
		if ((value && !json_is_string(value)) || (!value && fields[i].needed))
			return rs_error_set(err, RS_MALFORMED, value ? "%s is no text" : "%s is missing",
			                    fields[i].name);
	}
	if (!json_is_object(object) || json_object_size(object) == found)
		return json_is_object(object) ? RS_OK
		                              : rs_error_set(err, RS_MALFORMED, "it is no JSON object");
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		size_t i = 0;
		while (i < count && strcmp(key, fields[i].name) != 0)
			i++;
		if (i == count)
			return rs_error_set(err, RS_MALFORMED, "'%.60s' is not known here", key);
	}
	return RS_OK;
}

static enum rs_code read_token_rule(const json_t *json, struct rule *out, struct rs_error *err)
{
	const char *key;
	json_t *value;
	const struct text_field fields[] = {
		{"issuer", true, &out->issuer},          {"claims", true, NULL},
		{"member", true, &out->identity.member}, {"role", false, &out->identity.role},
		{"rights", true, &out->identity.rights}, {"purpose", false, &out->identity.purpose}};
	RS_TRY(object_texts(json, fields, RS_COUNT(fields), err));
	out->claims = json_object_get(json, "claims");
	if (json_object_size(out->claims) == 0)
		return rs_error_set(err, RS_MALFORMED,
		                    "claims is no object that names one: whoever has a token would be meant");
	json_object_foreach((json_t *)(uintptr_t)out->claims, key, value) if (
		!json_is_string(value)) return rs_error_set(err, RS_MALFORMED,
	                                                    "the claim %.60s is not compared with a text",
	                                                    key);
	return RS_OK;
}

static enum rs_code read_certificate_rule(const json_t *json, struct rule *out, struct rs_error *err)
{
	const char *fingerprint;
	const struct text_field fields[] = {{"san", false, &out->san},
	                                    {"fingerprint", false, &fingerprint},
	                                    {"member", true, &out->identity.member},
	                                    {"role", false, &out->identity.role},
	                                    {"rights", true, &out->identity.rights},
	                                    {"purpose", false, &out->identity.purpose}};
	RS_TRY(object_texts(json, fields, RS_COUNT(fields), err));
	if (!out->san == !fingerprint)
		return rs_error_set(err, RS_MALFORMED, "one of san and fingerprint is needed");
	if (out->san && !strchr(out->san, ':'))
		return rs_error_set(err, RS_MALFORMED, "san begins with its kind: DNS:, URI:, email: or IP:");
	if (fingerprint && !rs_hex_decode(rs_str_from(fingerprint), out->fingerprint.bytes, RS_SHA256_SIZE))
		return rs_error_set(err, RS_MALFORMED,
		                    "fingerprint has 64 hexadecimal digits (SHA-256 of the DER)");
	return RS_OK;
}

typedef enum rs_code read_rule(const json_t *json, struct rule *out, struct rs_error *err);

static enum rs_code read_rules(struct rs_identities *identities, const char *name, enum rule_kind kind,
                               read_rule *read, struct rs_error *err)
{
	const json_t *list = json_object_get(identities->document, name);
	size_t count = json_array_size(list);
	if (list && !json_is_array(list))
		return rs_error_set(err, RS_MALFORMED, "%s is no list", name);
	for (size_t i = 0; i < count; i++) {
		if (identities->rule_count == RULES_MAX)
			return rs_error_set(err, RS_TOO_LARGE, "there are more than %d rules", RULES_MAX);
		struct rule *rule = &identities->rules[identities->rule_count++];
		rule->kind = kind;
		if (read(json_array_get(list, i), rule, err) != RS_OK)
			return err ? rs_error_context(err, "%s, number %zu", name, i + 1) : RS_MALFORMED;
	}
	return RS_OK;
}

static enum rs_code read_document(struct rs_identities *identities, rs_identities_fetch *fetch, void *context,
                                  struct rs_error *err)
{
	const struct text_field sections[] = {
		{"providers", false, NULL}, {"tokens", false, NULL}, {"certificates", false, NULL}};
	RS_TRY(object_texts(identities->document, sections, RS_COUNT(sections), err));
	RS_TRY(providers_read(&identities->providers, identities->world,
	                      json_object_get(identities->document, "providers"), fetch, context, err));
	RS_TRY(read_rules(identities, "tokens", FOR_TOKENS, read_token_rule, err));
	RS_TRY(read_rules(identities, "certificates", FOR_CERTIFICATES, read_certificate_rule, err));
	for (size_t i = 0; i < identities->rule_count; i++)
		if (identities->rules[i].kind == FOR_TOKENS &&
		    !providers_find(&identities->providers, identities->rules[i].issuer))
			return rs_error_set(err, RS_MALFORMED,
			                    "tokens, number %zu: its issuer is none of the providers", i + 1);
	return RS_OK;
}

enum rs_code rs_identities_parse(const struct rs_world *world, struct rs_bytes json,
                                 rs_identities_fetch *fetch, void *context, struct rs_identities **out,
                                 struct rs_error *err)
{
	json_error_t why;
	struct rs_identities *identities RS_CLEANUP(identities_finish) = rs_allocate(sizeof *identities);
	if (!identities)
		return rs_error_memory(err, sizeof *identities, "identities");
	identities->world = world;
	identities->document = json_loadb((const char *)json.data, json.size, JSON_REJECT_DUPLICATES, &why);
	if (!identities->document)
		return rs_error_set(err, RS_MALFORMED, "line %d: %s", why.line, why.text);
	identities->rules = rs_allocate_array(RULES_MAX, sizeof *identities->rules);
	if (!identities->rules)
		return rs_error_memory(err, RULES_MAX * sizeof *identities->rules, "identities");
	RS_TRY(read_document(identities, fetch, context, err));
	*out = identities;
	identities = NULL;
	return RS_OK;
}

enum rs_code rs_identities_read(const struct rs_world *world, const char *path, rs_identities_fetch *fetch,
                                void *context, struct rs_identities **out, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	RS_TRY(rs_file_read_all(world, path, FILE_SIZE_MAX, &file, err));
	enum rs_code code = rs_identities_parse(world, rs_buffer_bytes(&file), fetch, context, out, err);
	return code != RS_OK && err ? rs_error_context(err, "%s", path) : code;
}

const struct rs_identity *rs_identities_at(const struct rs_identities *identities, size_t index)
{
	return index < identities->rule_count ? &identities->rules[index].identity : NULL;
}

static bool claim_is(const json_t *claim, const char *text)
{
	if (json_is_string(claim))
		return strcmp(json_string_value(claim), text) == 0;
	for (size_t i = 0; i < json_array_size(claim); i++) {
		const char *one = json_string_value(json_array_get(claim, i));
		if (one && strcmp(one, text) == 0)
			return true;
	}
	return false;
}

static bool fits(const struct rule *rule, const char *issuer, const json_t *claims)
{
	const char *key;
	json_t *value;
	if (rule->kind != FOR_TOKENS || strcmp(rule->issuer, issuer) != 0)
		return false;
	json_object_foreach(
		(json_t *)(uintptr_t)rule->claims, key,
		value) if (!claim_is(json_object_get(claims, key), json_string_value(value))) return false;
	return true;
}

static void digest_subject(const char *issuer, const json_t *claims, struct rs_digest *out)
{
	const char *subject = json_string_value(json_object_get(claims, "sub"));
	struct rs_sha256 hash;
	rs_sha256_init(&hash);
	rs_sha256_update(&hash, issuer, strlen(issuer) + 1);
	rs_sha256_update(&hash, subject ? subject : "", subject ? strlen(subject) : 0);
	rs_sha256_final(&hash, out);
}

enum rs_code rs_identities_token(struct rs_identities *identities, struct rs_str token,
                                 const struct rs_identity **out, struct rs_digest *out_subject,
                                 struct rs_error *err)
{
	char issuer[ISSUER_MAX + 1];
	json_t *claims = NULL;
	RS_TRY(rs_jwt_issuer(token, issuer, sizeof issuer, err));
	struct provider *provider = providers_find(&identities->providers, issuer);
	if (!provider)
		return rs_error_set(err, RS_NOT_FOUND, "the token's issuer is none of the providers");
	RS_TRY(provider_check(provider, token, &claims, err));
	size_t i = 0;
	while (i < identities->rule_count && !fits(&identities->rules[i], issuer, claims))
		i++;
	digest_subject(issuer, claims, out_subject);
	json_decref(claims);
	if (i == identities->rule_count)
		return rs_error_set(err, RS_DENIED,
		                    "the token is good, but no rule says who its bearer is here");
	*out = &identities->rules[i].identity;
	return RS_OK;
}

/* As a rule writes it; "" for a kind that no rule can name. */
static void write_name(const GENERAL_NAME *name, char out[static SAN_MAX])
{
	int kind;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &kind);
	const char *prefix = kind == GEN_DNS     ? "DNS:"
	                     : kind == GEN_URI   ? "URI:"
	                     : kind == GEN_EMAIL ? "email:"
	                                         : NULL;
	const uint8_t *data = prefix || kind == GEN_IPADD ? ASN1_STRING_get0_data(value) : NULL;
	size_t size = data ? (size_t)ASN1_STRING_length(value) : 0;
	out[0] = '\0';
	if (kind == GEN_IPADD && size == 4)
		(void)snprintf(out, SAN_MAX, "IP:%u.%u.%u.%u", data[0], data[1], data[2], data[3]);
	/* A zero byte within would hide what comes after it. */
	if (prefix && size > 0 && size < SAN_MAX - 8 && !memchr(data, 0, size))
		(void)snprintf(out, SAN_MAX, "%s%.*s", prefix, (int)size, (const char *)data);
}

static bool has_name(const GENERAL_NAMES *names, const char *wanted)
{
	char name[SAN_MAX];
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		write_name(sk_GENERAL_NAME_value(names, i), name);
		if (name[0] && rs_str_equal_ignoring_case(rs_str_from(name), rs_str_from(wanted)))
			return true;
	}
	return false;
}

enum rs_code rs_identities_certificate(const struct rs_identities *identities, struct rs_bytes der,
                                       const struct rs_identity **out, struct rs_error *err)
{
	const unsigned char *at = der.data;
	X509 *certificate = der.size <= INT32_MAX ? d2i_X509(NULL, &at, (long)der.size) : NULL;
	GENERAL_NAMES *names = certificate ? X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL)
	                                   : NULL;
	struct rs_digest fingerprint;
	const struct rule *found = NULL;
	rs_sha256(der, &fingerprint);
	for (size_t i = 0; certificate && !found && i < identities->rule_count; i++) {
		const struct rule *rule = &identities->rules[i];
		if (rule->kind == FOR_CERTIFICATES &&
		    (rule->san ? has_name(names, rule->san)
		               : rs_digest_equal(&fingerprint, &rule->fingerprint)))
			found = rule;
	}
	GENERAL_NAMES_free(names);
	X509_free(certificate);
	ERR_clear_error();
	if (!found)
		return rs_error_set(err, RS_NOT_FOUND, "no rule says who has this certificate");
	*out = &found->identity;
	return RS_OK;
}
