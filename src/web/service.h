/* What a service sees of a request, and what it answers. To add a service: a file with its functions and a table of
 * `struct route` that ends with a zero, and the table's name in route.c.
 *
 * A request runs in the thread of its connection, which may wait. begin() is called when the head is there and the caller is
 * known, take() with what comes of the body, answer() when all of it is there. What fails is answered with the error's sentence
 * as application/problem+json (RFC 9457), and the rest of the body is passed over. finish() is called once if `state` is set. */
#ifndef RS_WEB_SERVICE_H
#define RS_WEB_SERVICE_H

#include <pthread.h>

#include "target.h"
#include "web/web.h"
#include "workflow/workflow_intake.h"

#define VALUES_MAX 4
#define HEADERS_MAX 12
#define REQUEST_ID_SIZE 17
#define MEDIA_SIZE 256
#define BODY_MAX ((size_t)64 << 20) /* of an answer that is made in memory */
#define NO_SIZE UINT64_MAX

struct request;

struct route {
	const char *method, *path; /* as of target_matches() */
	unsigned right;            /* RS_WEB_MAY_… that the caller needs; 0: everybody, known or not */
	uint64_t body_max;         /* 0: none is taken */
	enum rs_code (*begin)(struct request *request, struct rs_error *err); /* NULL: nothing to do */
	enum rs_code (*take)(struct request *request, struct rs_bytes bytes, struct rs_error *err);
	enum rs_code (*answer)(struct request *request, struct rs_error *err);
	void (*finish)(struct request *request);
};

/* A body that is made while it is sent. Its first member in every implementation. */
struct stream {
	uint64_t size; /* NO_SIZE: nobody knows */
	/* From where it was left, up to `size` bytes; *out_read 0 is the end of a stream without a size. A failure breaks the
	 * connection, so that the client sees that it does not have all. */
	enum rs_code (*read)(struct stream *stream, void *out, size_t size, size_t *out_read,
	                     struct rs_error *err);
	void (*close)(struct stream *stream);
};

struct header {
	const char *name; /* static */
	char value[MEDIA_SIZE];
};

struct request {
	struct rs_web *web;
	const struct route *route;
	void *state; /* of the service */
	struct rs_web_caller caller;
	enum rs_purpose purpose;
	struct rs_str values[VALUES_MAX]; /* of the path's parameters */
	char id[REQUEST_ID_SIZE];
	char host[64];
	/* The answer. */
	unsigned status; /* 200 unless set; of a failure the code's unless set */
	char note[160];  /* for the log alone: what was refused although there is an answer; "": nothing */
	char media[MEDIA_SIZE];
	struct header headers[HEADERS_MAX];
	size_t header_count;
	struct rs_buffer body;
	struct stream *stream; /* instead of `body` */
	struct target target;
};

/* A header's value, or an empty text. */
struct rs_str request_header(const struct request *request, const char *name);
void request_put_header(struct request *request, const char *name, const char *value);
struct rs_str request_raw(const struct request *request); /* path and query as they came */
/* DER, of a client whose chain TLS and authorities prove; empty without one. */
struct rs_bytes request_certificate(const struct request *request);
#define REVOKED "the certificate that was shown is revoked, or lists of what is are out of date"
bool request_is_revoked(const struct request *request); /* the certificate that was shown */
bool request_is_tls(const struct request *request);
/* Whether the caller's member is in force now, where the contract is not asked anyway. errors  RS_REFUSED */
enum rs_code request_check_member(const struct request *request, struct rs_error *err);
/* The path as an absolute URL when the client said which host it called, else as it is. */
#define URL_SIZE 512
void request_url(const struct request *request, const char *path, char out[static URL_SIZE]);

/* What services share. */
struct rs_node *web_node(struct rs_web *web);
struct rs_gateway *web_gateway(struct rs_web *web);
struct rs_intake *web_intake(struct rs_web *web);
const struct rs_web_options *web_options(const struct rs_web *web);
bool web_is_stopping(const struct rs_web *web); /* streams without an end, end */
/* Waits for that, or for so long. */
void web_pause(struct rs_web *web, unsigned time_ms);

/* Admits a whole arrival in another thread, so that the caller can go on receiving; waits when that has enough to do. done() is
 * called from there. */
void web_admit(struct rs_web *web, struct rs_arrival *arrival, rs_arrival_done *done, void *context);

/* The routes that fit the target: *out is that of the method, *out_allowed the methods there are, with commas ("" : no such
 * path). */
#define ALLOWED_SIZE 64
void route_find(struct target *target, const char *method, struct rs_str *out_values,
                const struct route **out, char out_allowed[static ALLOWED_SIZE]);

#endif
