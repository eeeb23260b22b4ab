/* What logging in needs of the people. */
#ifndef WEB_PEOPLE_H
#define WEB_PEOPLE_H

#include <pthread.h>

#include "account/account_identities.h"
#include "web/web_people.h"

#define SESSION_COOKIE "__Host-radseal"

struct bearer { /* one for each rule of the identities, in their order */
	struct rs_actor *actor;
	struct rs_web_caller caller;
};

struct rs_web_people {
	struct rs_node *node;
	pthread_mutex_t mutex; /* guards node and sessions */
	struct rs_accounts *
		sessions; /* looking after sessions must not wait for somebody's password, so there are two */
	pthread_mutex_t login_mutex; /* guards logins: one Argon2id at a time */
	struct rs_accounts *logins;
	struct rs_identities *identities;
	struct bearer *bearers;
	size_t bearer_count;
};

/* The session that the cookie names; wipe it. RS_NOT_FOUND: there is no cookie of ours; RS_DENIED */
enum rs_code people_session(struct rs_web_people *people, struct rs_str cookie, struct rs_session *out,
                            struct rs_error *err);
struct rs_str people_cookie(struct rs_str cookie); /* the token in it; empty without one */
/* The member's role now; RS_ROLE_NONE when it has none. */
enum rs_role people_role(struct rs_web_people *people, const uint8_t member[static RS_KEY_SIZE]);
enum rs_purpose people_purpose(enum rs_role role); /* what the role is there for */

#endif
