/* The node's doors to HTTP: health and metrics, DICOMweb and what else stands in the table of route.c, over libmicrohttpd.
 *
 * A connection is one thread's. Who calls is said by an authenticator (web_caller.h); what may be asked for at all, by the
 * rights that it gives; about data decides the contract. Heads, bodies, connections and time are bounded. */
#ifndef RS_WEB_H
#define RS_WEB_H

#include <stdatomic.h>
#include <signal.h>

#include "gateway/gateway.h"
#include "gateway/gateway_collector.h"
#include "web/web_people.h"

#define RS_WEB_PORT_COUNT 2

struct rs_web_options {
	const char *http, *https; /* addresses to listen at, "127.0.0.1:8080"; NULL: not */
	bool is_proxied; /* http may listen elsewhere than on the loopback: what is in front of it speaks TLS */
	const char *certificate, *key,
		*authorities; /* PEM files, for https; authorities of clients, may be NULL */
	/* PEM file of what the authorities revoked; NULL: none. Read again when *hangups (NULL: never) changes. */
	const char *revocations;
	const volatile sig_atomic_t *hangups;
	const struct rs_web_authenticator *authenticators;
	size_t authenticator_count;
	const char *
		origins; /* of pages elsewhere that may ask and see answers (CORS), with commas; NULL: none */
	bool is_bench_without_comparison; /* what leaves is not held against the ledger: nothing but a bench sets it */
	unsigned connections_max, connections_of_address_max;
	struct rs_node *rest_node; /* of REST alone, open for writing and at rest; NULL: there is no REST */
	struct rs_web_people *people;     /* who may log in; NULL: nobody */
	struct rs_collector *collector;   /* is told of logins and of who was refused; NULL: nobody is */
	const atomic_bool *is_broker_met; /* for metrics; NULL: there is no broker */
	const struct rs_log *log;         /* may be NULL */
};

struct rs_web;
/* Listens and answers when it returns, until *stop or rs_web_close(). Node and gateway must outlive it, authenticators too.
 * errors  RS_USAGE, RS_IO naming the address */
enum rs_code rs_web_open(struct rs_node *node, struct rs_gateway *gateway,
                         const struct rs_web_options *options, const volatile sig_atomic_t *stop,
                         struct rs_web **out, struct rs_error *err);
/* Of http and https; 0 for one that is not listened at. */
void rs_web_ports(const struct rs_web *web, unsigned out[static RS_WEB_PORT_COUNT]);
/* What is under way is finished, for ten seconds at most. Accepts NULL. */
void rs_web_close(struct rs_web *web);

#endif
