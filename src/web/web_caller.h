/* Who makes a request: what it shows, and what an authenticator makes of that. Without an authenticator that knows the caller
 * every request is refused, but for `/health` and `/ready`.
 *
 * An authenticator is a table of functions: a file of tokens (web_tokens.h), and whatever else serve is told to believe. */
#ifndef RS_WEB_CALLER_H
#define RS_WEB_CALLER_H

#include "node/node_act.h"

/* What a caller may ask this server for at all: bits. About the data itself the contract decides, for the caller's member. */
#define RS_WEB_RIGHTS(X)           \
	X(STORE, 0, "store")       \
	X(QUERY, 1, "query")       \
	X(RETRIEVE, 2, "retrieve") \
	X(WATCH, 3, "watch")       \
	X(METRICS, 4, "metrics")   \
	X(MANAGE, 5, "manage")     \
	X(DEVICE, 6, "device")     \
	X(ACCOUNT, 7, "account")
enum rs_web_right {
#define RS_WEB_RIGHT_MEMBER(name, bit, text) RS_WEB_MAY_##name = 1u << (bit),
	RS_WEB_RIGHTS(RS_WEB_RIGHT_MEMBER)
#undef RS_WEB_RIGHT_MEMBER
};
#define RS_WEB_MAY_EVERYTHING 0xffu

/* What came with a request; views live as long as the call. */
struct rs_web_credentials {
	struct rs_str authorization, cookie; /* the headers' values; empty without one */
	struct rs_str method, path;  /* for tokens that are bound to a request, and against forged ones */
	struct rs_str origin;        /* the header's value */
	struct rs_str csrf;          /* of the header Radseal-CSRF: what only pages of ours can know */
	struct rs_bytes certificate; /* DER; of a chain that was verified; empty without one */
	const char *host;            /* address in numbers */
	bool is_tls;
};

#define RS_WEB_CALLER_NAME_SIZE 72
struct rs_web_caller {
	const struct rs_actor *actor;       /* signs for the caller; lives as long as the server, or it is */
	struct rs_actor *own;               /* closed when the request ends; NULL: the authenticator's */
	unsigned may;                       /* RS_WEB_MAY_… */
	enum rs_purpose purpose;            /* unless the request says another (header Radseal-Purpose) */
	char name[RS_WEB_CALLER_NAME_SIZE]; /* for the log: a key's digits, never a person's name */
	uint64_t session;                   /* the authenticator's own; 0 for none */
};

struct rs_web_authenticator {
	/* What a client is told to send: WWW-Authenticate (RFC 9110 section 11.6.1). */
	const char *challenge;
	/* RS_OK: it is this one. RS_NOT_FOUND: nothing that this authenticator looks at; the next one is asked. RS_DENIED: shown,
	 * and wrong. From any thread, several at once. */
	enum rs_code (*authenticate)(void *context, const struct rs_web_credentials *credentials,
	                             struct rs_web_caller *out, struct rs_error *err);
	void *context;
};

#endif
