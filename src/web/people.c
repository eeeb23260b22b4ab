/* Who shows a session's cookie, a provider's token or a certificate. */
#include "people.h"

#include <string.h>

#include "contract/contract_people.h"
#include "words.h"

#define ACCOUNTS_MAY                                                                                        \
	(RS_WEB_MAY_STORE | RS_WEB_MAY_QUERY | RS_WEB_MAY_RETRIEVE | RS_WEB_MAY_WATCH | RS_WEB_MAY_MANAGE | \
	 RS_WEB_MAY_ACCOUNT)

void rs_web_people_close(struct rs_web_people *people)
{
	if (!people)
		return;
	for (size_t i = 0; i < people->bearer_count; i++)
		rs_actor_close(people->bearers[i].actor);
	rs_free(people->bearers);
	rs_identities_free(people->identities);
	rs_accounts_close(people->sessions);
	rs_accounts_close(people->logins);
	pthread_mutex_destroy(&people->mutex);
	pthread_mutex_destroy(&people->login_mutex);
	rs_free(people);
}

static void people_finish(struct rs_web_people **people) { rs_web_people_close(*people); }

static void name_caller(struct rs_web_caller *caller)
{
	struct rs_member_key id = rs_actor_id(caller->actor);
	rs_hex_encode(rs_bytes_of(id.bytes, 8), caller->name);
}

enum rs_role people_role(struct rs_web_people *people, const uint8_t member[static RS_KEY_SIZE])
{
	struct rs_member_key key;
	struct rs_person person;
	memcpy(key.bytes, member, sizeof key.bytes);
	pthread_mutex_lock(&people->mutex);
	const struct rs_state state = rs_node_state(people->node);
	enum rs_code code = rs_contract_person(&state, &key, &person, NULL);
	pthread_mutex_unlock(&people->mutex);
	return code == RS_OK && !person.revoked ? person.role : RS_ROLE_NONE;
}

enum rs_purpose people_purpose(enum rs_role role)
{
	static const enum rs_purpose purposes[] = {RS_PURPOSE_TREATMENT, RS_PURPOSE_RESEARCH,
	                                           RS_PURPOSE_AUDIT, RS_PURPOSE_PATIENT_REQUEST,
	                                           RS_PURPOSE_OPERATIONS};
	for (size_t i = 0; i < RS_COUNT(purposes); i++)
		if (rs_contract_bases(role, purposes[i], RS_OPERATION_READ))
			return purposes[i];
	return RS_PURPOSE_OPERATIONS;
}

static enum rs_code make_bearer(struct rs_web_people *people, const struct rs_identity *identity,
                                struct bearer *out, struct rs_error *err)
{
	struct rs_web_caller *caller = &out->caller;
	enum rs_role role;
	RS_TRY(rs_node_actor_open(people->node, identity->member, rs_bytes_of("", 0), &out->actor, err));
	caller->actor = out->actor;
	name_caller(caller);
	if (!rights_parse(rs_str_from(identity->rights), &caller->may))
		return rs_error_set(err, RS_MALFORMED, "'%.60s' are no rights", identity->rights);
	struct rs_member_key id = rs_actor_id(out->actor);
	caller->purpose = people_purpose(people_role(people, id.bytes));
	if (identity->purpose && !purpose_parse(rs_str_from(identity->purpose), &caller->purpose))
		return rs_error_set(err, RS_MALFORMED, "'%.60s' is no purpose", identity->purpose);
	if (identity->role && !rs_role_from_name(rs_str_from(identity->role), &role))
		return rs_error_set(err, RS_MALFORMED, "'%.60s' is no role", identity->role);
	return RS_OK;
}

static enum rs_code open_identities(struct rs_web_people *people, const char *path, struct rs_error *err)
{
	size_t count = 0;
	RS_TRY(rs_identities_read(rs_world_system(), path, NULL, NULL, &people->identities, err));
	while (rs_identities_at(people->identities, count))
		count++;
	people->bearers = rs_allocate_array(count + 1, sizeof *people->bearers);
	if (!people->bearers)
		return rs_error_memory(err, count * sizeof *people->bearers, "identities");
	for (size_t i = 0; i < count; i++) {
		const struct rs_identity *identity = rs_identities_at(people->identities, i);
		people->bearer_count++;
		if (make_bearer(people, identity, &people->bearers[i], err) != RS_OK)
			return rs_error_context(err, "%s: member %.60s", path, identity->member);
	}
	return RS_OK;
}

enum rs_code rs_web_people_open(const struct rs_web_people_options *options, struct rs_web_people **out,
                                struct rs_error *err)
{
	const struct rs_account_settings settings = {RS_PASSWORD_COST, options->idle_ms, options->lifetime_ms,
	                                             NULL};
	struct rs_web_people *people RS_CLEANUP(people_finish) = rs_allocate(sizeof *people);
	if (!people)
		return rs_error_memory(err, sizeof *people, "people");
	people->node = options->node;
	pthread_mutex_init(&people->mutex, NULL);
	pthread_mutex_init(&people->login_mutex, NULL);
	if (options->accounts) {
		RS_TRY(rs_node_accounts_open(people->node, &settings, &people->sessions, err));
		RS_TRY(rs_node_accounts_open(people->node, &settings, &people->logins, err));
	}
	if (options->identities)
		RS_TRY(open_identities(people, options->identities, err));
	*out = people;
	people = NULL;
	return RS_OK;
}

struct rs_str people_cookie(struct rs_str cookies)
{
	struct rs_str one, name;
	while (rs_str_split(&cookies, ';', &one)) {
		one = rs_str_trim(one);
		if (rs_str_split(&one, '=', &name) && rs_str_equal_text(name, SESSION_COOKIE))
			return one;
	}
	return (struct rs_str){"", 0};
}

enum rs_code people_session(struct rs_web_people *people, struct rs_str cookie, struct rs_session *out,
                            struct rs_error *err)
{
	struct rs_str token = people_cookie(cookie);
	if (!people->sessions || token.size == 0)
		return RS_NOT_FOUND;
	pthread_mutex_lock(&people->mutex);
	enum rs_code code = rs_session_find(people->sessions, token, out, err);
	pthread_mutex_unlock(&people->mutex);
	return code;
}

/* A page of somebody else's can make a browser send our cookie, but not read the session's second word. */
static bool is_ours(const struct rs_web_credentials *shown, const struct rs_session *session)
{
	bool reads = rs_str_equal_text(shown->method, "GET") || rs_str_equal_text(shown->method, "HEAD");
	size_t size = strlen(session->csrf);
	return reads ||
	       (shown->csrf.size == size && rs_equal_constant_time(shown->csrf.data, session->csrf, size));
}

static enum rs_code authenticate_session(void *context, const struct rs_web_credentials *shown,
                                         struct rs_web_caller *out, struct rs_error *err)
{
	struct rs_web_people *people = context;
	struct rs_session session RS_CLEANUP(rs_session_finish) = {.name = ""};
	struct rs_web_caller caller = {.may = ACCOUNTS_MAY};
	RS_TRY(people_session(people, shown->cookie, &session, err));
	if (!is_ours(shown, &session))
		return rs_error_set(
			err, RS_DENIED,
			"what changes something needs the session's csrf in the header Radseal-CSRF");
	if (session.must_change)
		caller.may = RS_WEB_MAY_ACCOUNT;
	pthread_mutex_lock(&people->mutex);
	enum rs_code code = rs_node_actor_of_seed(people->node, &session.seed, &caller.own, err);
	pthread_mutex_unlock(&people->mutex);
	RS_TRY(code);
	caller.actor = caller.own;
	caller.purpose = people_purpose(people_role(people, session.member));
	name_caller(&caller);
	*out = caller;
	return RS_OK;
}

/* The rule may ask for a role; the contract asks for what an act needs in any case. */
static enum rs_code enter(struct rs_web_people *people, const struct rs_identity *identity,
                          struct rs_web_caller *out, struct rs_error *err)
{
	size_t index = 0;
	while (rs_identities_at(people->identities, index) != identity)
		index++;
	const struct bearer *bearer = &people->bearers[index];
	struct rs_member_key id = rs_actor_id(bearer->actor);
	if (identity->role && strcmp(rs_role_name(people_role(people, id.bytes)), identity->role) != 0)
		return rs_error_set(err, RS_DENIED, "the member is no %.60s any more", identity->role);
	*out = bearer->caller;
	return RS_OK;
}

static enum rs_code authenticate_bearer(void *context, const struct rs_web_credentials *shown,
                                        struct rs_web_caller *out, struct rs_error *err)
{
	struct rs_web_people *people = context;
	struct rs_str scheme, token = shown->authorization;
	const struct rs_identity *identity;
	struct rs_digest subject;
	if (!rs_str_split(&token, ' ', &scheme) || !rs_str_equal_ignoring_case(scheme, RS_STR("Bearer")))
		return RS_NOT_FOUND;
	enum rs_code code = rs_identities_token(people->identities, rs_str_trim(token), &identity, &subject,
	                                        err);
	if (code == RS_MALFORMED || code == RS_NOT_FOUND)
		return rs_error_set(err, RS_DENIED, "the token is of nobody whom this server knows");
	RS_TRY(code);
	return enter(people, identity, out, err);
}

static enum rs_code authenticate_certificate(void *context, const struct rs_web_credentials *shown,
                                             struct rs_web_caller *out, struct rs_error *err)
{
	struct rs_web_people *people = context;
	const struct rs_identity *identity;
	if (shown->certificate.size == 0)
		return RS_NOT_FOUND;
	RS_TRY(rs_identities_certificate(people->identities, shown->certificate, &identity, err));
	return enter(people, identity, out, err);
}

void rs_web_people_authenticators(struct rs_web_people *people,
                                  struct rs_web_authenticator out[static RS_WEB_PEOPLE_AUTHENTICATORS],
                                  size_t *out_count)
{
	*out_count = 0;
	if (people->sessions)
		out[(*out_count)++] = (struct rs_web_authenticator){NULL, authenticate_session, people};
	if (!people->identities)
		return;
	out[(*out_count)++] = (struct rs_web_authenticator){"Bearer realm=\"radseal\"", authenticate_bearer,
	                                                    people};
	out[(*out_count)++] = (struct rs_web_authenticator){NULL, authenticate_certificate, people};
}
