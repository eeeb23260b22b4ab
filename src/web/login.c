/* Logging in and out, the own session, the own password. */
#include <stdio.h>
#include <string.h>

#include "body.h"
#include "people.h"
#include "services.h"

#define COOKIE_ATTRIBUTES "; Path=/; Secure; HttpOnly; SameSite=Strict"
#define LOGIN_BODY_MAX 8192

static enum rs_code people_of(struct request *request, struct rs_web_people **out, struct rs_error *err)
{
	*out = web_options(request->web)->people;
	if (!*out || !(*out)->sessions)
		return rs_error_set(err, RS_NOT_FOUND,
		                    "nobody logs in here: serve was started without --http-accounts");
	return RS_OK;
}

static void put_cookie(struct request *request, const char *token)
{
	char value[MEDIA_SIZE];
	(void)snprintf(value, sizeof value, SESSION_COOKIE "=%s" COOKIE_ATTRIBUTES "%s", token,
	               *token ? "" : "; Max-Age=0");
	request_put_header(request, "Set-Cookie", value);
	rs_wipe(value, sizeof value);
}

static void put_time(struct rs_json *json, const char *key, uint64_t time_ms)
{
	char text[RS_TIME_TEXT_SIZE];
	rs_format_time_ms(time_ms, text);
	rs_json_key(json, key);
	rs_json_text(json, text);
}

static enum rs_code tell(struct request *request, struct rs_web_people *people,
                         const struct rs_session *session, struct rs_error *err)
{
	struct rs_json json;
	enum rs_role role = people_role(people, session->member);
	(void)snprintf(request->media, sizeof request->media, "application/json");
	rs_json_init(&json, &request->body, false);
	rs_json_object_begin(&json);
	rs_json_key(&json, "account");
	rs_json_text(&json, session->name);
	rs_json_key(&json, "member");
	rs_json_hex(&json, rs_bytes_of(session->member, RS_KEY_SIZE));
	rs_json_key(&json, "role");
	rs_json_text(&json, rs_role_name(role));
	rs_json_key(&json, "csrf");
	rs_json_text(&json, session->csrf);
	rs_json_key(&json, "must_change_password");
	rs_json_bool(&json, session->must_change);
	put_time(&json, "idle_until", session->idle_end_ms);
	put_time(&json, "until", session->end_ms);
	rs_json_object_end(&json);
	return rs_buffer_check(&request->body, "an answer", err);
}

static const char *text_of(const json_t *body, const char *name)
{
	const char *text = json_string_value(json_object_get(body, name));
	return text ? text : "";
}

static struct rs_bytes bytes_of(const json_t *body, const char *name)
{
	const char *text = text_of(body, name);
	return rs_bytes_of(text, strlen(text));
}

static enum rs_code login(struct request *request, struct rs_error *err)
{
	struct rs_web_people *people;
	struct rs_session session RS_CLEANUP(rs_session_finish) = {.name = ""};
	json_t *body RS_CLEANUP(json_release) = NULL;
	char token[RS_SESSION_TOKEN_SIZE] = "", wait[24];
	uint64_t wait_ms = 0;
	RS_TRY(people_of(request, &people, err));
	RS_TRY(json_body_read(request, &body, err));
	const struct rs_credentials credentials = {rs_str_from(text_of(body, "name")),
	                                           bytes_of(body, "password"),
	                                           rs_str_from(text_of(body, "code"))};
	pthread_mutex_lock(&people->login_mutex);
	enum rs_code code = rs_session_begin(people->logins, &credentials, token, &session, &wait_ms, err);
	pthread_mutex_unlock(&people->login_mutex);
	if (wait_ms > 0) {
		(void)snprintf(wait, sizeof wait, "%llu", (unsigned long long)(wait_ms + 999) / 1000);
		request_put_header(request, "Retry-After", wait);
		request->status = 429;
	}
	RS_TRY(code);
	put_cookie(request, token);
	rs_wipe(token, sizeof token);
	return tell(request, people, &session, err);
}

static enum rs_code logout(struct request *request, struct rs_error *err)
{
	struct rs_web_people *people;
	RS_TRY(people_of(request, &people, err));
	struct rs_str token = people_cookie(request_header(request, "Cookie"));
	pthread_mutex_lock(&people->mutex);
	enum rs_code code = rs_session_end(people->sessions, token, err);
	pthread_mutex_unlock(&people->mutex);
	RS_TRY(code);
	put_cookie(request, "");
	request->status = 204;
	return RS_OK;
}

static enum rs_code own_session(struct request *request, struct rs_web_people **people,
                                struct rs_session *out, struct rs_error *err)
{
	RS_TRY(people_of(request, people, err));
	enum rs_code code = people_session(*people, request_header(request, "Cookie"), out, err);
	return code == RS_NOT_FOUND ? rs_error_set(err, RS_NOT_FOUND, "the caller has no session") : code;
}

static enum rs_code show(struct request *request, struct rs_error *err)
{
	struct rs_session session RS_CLEANUP(rs_session_finish) = {.name = ""};
	struct rs_web_people *people;
	RS_TRY(own_session(request, &people, &session, err));
	return tell(request, people, &session, err);
}

static enum rs_code refresh(struct request *request, struct rs_error *err)
{
	struct rs_session session RS_CLEANUP(rs_session_finish) = {.name = ""};
	struct rs_web_people *people;
	char token[RS_SESSION_TOKEN_SIZE];
	RS_TRY(people_of(request, &people, err));
	struct rs_str old = people_cookie(request_header(request, "Cookie"));
	pthread_mutex_lock(&people->mutex);
	enum rs_code code = rs_session_refresh(people->sessions, old, token, &session, err);
	pthread_mutex_unlock(&people->mutex);
	RS_TRY(code);
	put_cookie(request, token);
	rs_wipe(token, sizeof token);
	return tell(request, people, &session, err);
}

static enum rs_code change_password(struct request *request, struct rs_error *err)
{
	struct rs_session session RS_CLEANUP(rs_session_finish) = {.name = ""};
	struct rs_web_people *people;
	json_t *body RS_CLEANUP(json_release) = NULL;
	RS_TRY(own_session(request, &people, &session, err));
	RS_TRY(json_body_read(request, &body, err));
	pthread_mutex_lock(&people->login_mutex);
	enum rs_code code = rs_account_change_password(people->logins, rs_str_from(session.name),
	                                               bytes_of(body, "old"), bytes_of(body, "password"),
	                                               err);
	pthread_mutex_unlock(&people->login_mutex);
	RS_TRY(code);
	put_cookie(request, ""); /* its session has ended with all others */
	request->status = 204;
	return RS_OK;
}

const struct route routes_login[] = {
	{"POST", "/api/v1/login", 0, LOGIN_BODY_MAX, json_body_begin, json_body_take, login,
         json_body_finish},
	{"POST", "/api/v1/logout", RS_WEB_MAY_ACCOUNT, 0, NULL, NULL, logout, NULL},
	{"GET", "/api/v1/session", RS_WEB_MAY_ACCOUNT, 0, NULL, NULL, show, NULL},
	{"POST", "/api/v1/session/refresh", RS_WEB_MAY_ACCOUNT, 0, NULL, NULL, refresh, NULL},
	{"POST", "/api/v1/session/password", RS_WEB_MAY_ACCOUNT, LOGIN_BODY_MAX, json_body_begin,
         json_body_take, change_password, json_body_finish},
	{NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};
