/* Logging in and out, the own session, the own password. */
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "people.h"

#define COOKIE_ATTRIBUTES "; Path=/; Secure; HttpOnly; SameSite=Strict"
#define LOGIN_BODY_MAX 8192
#define TOO_MANY_REQUESTS 429

static enum rs_code people_of(struct call *call, struct rs_web_people **out, struct rs_error *err)
{
	*out = web_options(call->request->web)->people;
	if (!*out || !(*out)->sessions)
		return rs_error_set(err, RS_NOT_FOUND,
		                    "nobody logs in here: serve was started without --http-accounts");
	return RS_OK;
}

static void put_cookie(struct call *call, const char *token)
{
	char value[MEDIA_SIZE];
	(void)snprintf(value, sizeof value, SESSION_COOKIE "=%s" COOKIE_ATTRIBUTES "%s", token,
	               *token ? "" : "; Max-Age=0");
	request_put_header(call->request, "Set-Cookie", value);
	rs_wipe(value, sizeof value);
}

static void tell(struct call *call, struct rs_web_people *people, const struct rs_session *session)
{
	put_text(call, "account", session->name);
	put_hex(call, "member", session->member, RS_KEY_SIZE);
	put_text(call, "role", rs_role_name(people_role(people, session->member)));
	put_text(call, "csrf", session->csrf);
	put_switch(call, "must_change_password", session->must_change);
	put_time(call, "idle_until", session->idle_end_ms);
	put_time(call, "until", session->end_ms);
}

static struct rs_bytes bytes_of(const struct call *call, const char *name)
{
	return rs_bytes_of_str(rs_str_from(call_text(call, name)));
}

static enum rs_code login(struct call *call, struct rs_error *err)
{
	struct rs_web_people *people;
	struct rs_session session RS_CLEANUP(rs_session_finish) = {.name = ""};
	const struct rs_credentials credentials = {rs_str_from(call_text(call, "name")),
	                                           bytes_of(call, "password"),
	                                           rs_str_from(call_text(call, "code"))};
	char token[RS_SESSION_TOKEN_SIZE] = "", wait[24];
	uint64_t wait_ms = 0;
	RS_TRY(people_of(call, &people, err));
	pthread_mutex_lock(&people->login_mutex);
	enum rs_code code = rs_session_begin(people->logins, &credentials, token, &session, &wait_ms, err);
	pthread_mutex_unlock(&people->login_mutex);
	if (wait_ms > 0) {
		(void)snprintf(wait, sizeof wait, "%llu", (unsigned long long)(wait_ms + 999) / 1000);
		request_put_header(call->request, "Retry-After", wait);
		call->request->status = TOO_MANY_REQUESTS;
	}
	rs_collector_tell(web_options(call->request->web)->collector, RS_ATNA_LOGIN, code != RS_OK,
	                  code == RS_OK ? session.member : NULL, call->request->host);
	RS_TRY(code);
	put_cookie(call, token);
	rs_wipe(token, sizeof token);
	tell(call, people, &session);
	return RS_OK;
}

static enum rs_code logout(struct call *call, struct rs_error *err)
{
	struct rs_web_people *people;
	RS_TRY(people_of(call, &people, err));
	struct rs_str token = people_cookie(request_header(call->request, "Cookie"));
	pthread_mutex_lock(&people->mutex);
	enum rs_code code = rs_session_end(people->sessions, token, err);
	pthread_mutex_unlock(&people->mutex);
	const struct rs_member_key id = rs_actor_id(call->actor);
	rs_collector_tell(web_options(call->request->web)->collector, RS_ATNA_LOGOUT, code != RS_OK, id.bytes,
	                  call->request->host);
	put_cookie(call, "");
	return code;
}

static enum rs_code own_session(struct call *call, struct rs_web_people **people, struct rs_session *out,
                                struct rs_error *err)
{
	RS_TRY(people_of(call, people, err));
	enum rs_code code = people_session(*people, request_header(call->request, "Cookie"), out, err);
	return code == RS_NOT_FOUND ? rs_error_set(err, RS_NOT_FOUND, "the caller has no session") : code;
}

static enum rs_code show(struct call *call, struct rs_error *err)
{
	struct rs_session session RS_CLEANUP(rs_session_finish) = {.name = ""};
	struct rs_web_people *people;
	RS_TRY(own_session(call, &people, &session, err));
	tell(call, people, &session);
	return RS_OK;
}

static enum rs_code refresh(struct call *call, struct rs_error *err)
{
	struct rs_session session RS_CLEANUP(rs_session_finish) = {.name = ""};
	struct rs_web_people *people;
	char token[RS_SESSION_TOKEN_SIZE];
	RS_TRY(people_of(call, &people, err));
	struct rs_str old = people_cookie(request_header(call->request, "Cookie"));
	pthread_mutex_lock(&people->mutex);
	enum rs_code code = rs_session_refresh(people->sessions, old, token, &session, err);
	pthread_mutex_unlock(&people->mutex);
	RS_TRY(code);
	put_cookie(call, token);
	rs_wipe(token, sizeof token);
	tell(call, people, &session);
	return RS_OK;
}

static enum rs_code change_password(struct call *call, struct rs_error *err)
{
	struct rs_session session RS_CLEANUP(rs_session_finish) = {.name = ""};
	struct rs_web_people *people;
	RS_TRY(own_session(call, &people, &session, err));
	pthread_mutex_lock(&people->login_mutex);
	enum rs_code code = rs_account_change_password(people->logins, rs_str_from(session.name),
	                                               bytes_of(call, "old"), bytes_of(call, "password"),
	                                               err);
	pthread_mutex_unlock(&people->login_mutex);
	RS_TRY(code);
	put_cookie(call, ""); /* its session has ended with all others */
	return RS_OK;
}

static const struct field login_fields[] = {
	{"name", FIELD_TEXT, true, "the account", NULL},
	{"password", FIELD_TEXT, true, "its password", NULL},
	{"code", FIELD_TEXT, false, "the one-time code, or a recovery code, of an account that has them",
         NULL},
	{NULL, FIELD_TEXT, false, NULL, NULL},
};
static const struct field password_fields[] = {
	{"old", FIELD_TEXT, true, "the password so far", NULL},
	{"password", FIELD_TEXT, true, "the password from now on, 12 bytes or more", NULL},
	{NULL, FIELD_TEXT, false, NULL, NULL},
};
static const struct field session_fields[] = {
	{"account", FIELD_TEXT, true, "who is logged in", NULL},
	{"member", FIELD_HEX, true, "the member whose key signs", NULL},
	{"role", FIELD_TEXT, true, "the member's role, or none", NULL},
	{"csrf", FIELD_TEXT, true,
         "to be sent as header Radseal-CSRF with every request that changes something", NULL},
	{"must_change_password", FIELD_SWITCH, true, "nothing else is possible before that", NULL},
	{"idle_until", FIELD_TIME, true, "when the session ends without a request", NULL},
	{"until", FIELD_TIME, true, "when it ends in any case", NULL},
	{NULL, FIELD_TEXT, false, NULL, NULL},
};

const struct operation operations_login[] = {
	{.route = {.method = "POST", .path = "/api/v1/login", .body_max = LOGIN_BODY_MAX},
         .group = "session",
         .summary = "Logs in; the session's token is the cookie " SESSION_COOKIE,
         .body = login_fields,
         .answer = session_fields,
         .is_outside = true,
         .run = login},
	{.route = {.method = "POST", .path = "/api/v1/logout", .right = RS_WEB_MAY_ACCOUNT},
         .group = "session",
         .summary = "Ends the session",
         .is_outside = true,
         .status = 204,
         .run = logout},
	{.route = {.method = "GET", .path = "/api/v1/session", .right = RS_WEB_MAY_ACCOUNT},
         .group = "session",
         .summary = "Tells who is logged in and until when",
         .answer = session_fields,
         .is_outside = true,
         .run = show},
	{.route = {.method = "POST", .path = "/api/v1/session/refresh", .right = RS_WEB_MAY_ACCOUNT},
         .group = "session",
         .summary = "Gives the session another token; its end stays",
         .answer = session_fields,
         .is_outside = true,
         .run = refresh},
	{.route = {.method = "POST",
                   .path = "/api/v1/session/password",
                   .right = RS_WEB_MAY_ACCOUNT,
                   .body_max = LOGIN_BODY_MAX},
         .group = "session",
         .summary = "Changes the own password; all sessions of the account end",
         .body = password_fields,
         .is_outside = true,
         .status = 204,
         .run = change_password},
	{.run = NULL},
};
