/* What a path of DICOMweb names, as far as the caller may have it: picked by the catalogue, decided by the contract, requested on
 * the ledger, before anything is decrypted. */
#ifndef RS_WEB_OBJECTS_H
#define RS_WEB_OBJECTS_H

#include "access/access_open.h"
#include "access/access_pick.h"
#include "service.h"

/* The instances of the study, series or instance in the request's values, in the order they were sealed: one decision and one
 * request to the ledger for the study. Of several contents under one SOPInstanceUID the last one stands. ahead: as of
 * pick_instances(); NULL: the disk may begin with the first of them.
 * errors  RS_NOT_FOUND: there is none that the caller may see; RS_REFUSED */
enum rs_code picked_of_request(struct request *request, const struct picked_ahead *ahead,
                               struct picked_list *out, struct rs_error *err);

/* The finder of queries, or that of retrievals: each remembers what it asked the ledger for. */
enum finder_of { FINDER_OF_QUERIES, FINDER_OF_RETRIEVALS, FINDER_COUNT };
struct rs_finder *web_finder(struct rs_web *web, enum finder_of which);
bool web_compares(const struct rs_web *web); /* false in a bench alone */

/* An object's content to `take`, compared with the ledger: the last piece comes only when all of it is as it was sealed. Pieces
 * and leave() are as of rs_opened_read(). opened: what was opened already, else NULL. */
enum rs_code object_read(struct rs_web *web, const struct picked *picked, const struct rs_opened *opened,
                         rs_vault_take *take, void (*leave)(void *context), void *context,
                         struct rs_error *err);

/* A whole object in memory, parsed. Waits for room, which all requests share. errors  RS_TOO_LARGE */
#define LOADED_MAX ((size_t)512 << 20)
struct loaded {
	struct rs_web *web;
	struct rs_buffer file;
	struct rs_dicom dicom;
	size_t charged;
};
enum rs_code loaded_init(struct rs_web *web, const struct picked *picked, struct loaded *out,
                         struct rs_error *err);
void loaded_finish(struct loaded *loaded); /* accepts zeroed memory */
/* Only what stands before the pixel data: the rest is compared, and not kept. */
enum rs_code loaded_header(struct rs_web *web, const struct picked *picked, struct loaded *out,
                           struct rs_error *err);

/* A body that another thread makes while this one sends. produce() puts it piece by piece; it is called once, when the body is
 * wanted, or at flow_begin(). `context` is freed with free_context(), unless this function fails. */
struct flow;
enum rs_code flow_put(struct flow *flow, struct rs_bytes bytes, struct rs_error *err);
/* The same without waiting: the bytes stay as they are until the next piece was put or lent, or flow_settle() returned. */
enum rs_code flow_lend(struct flow *flow, struct rs_bytes bytes, struct rs_error *err);
void flow_settle(struct flow *flow); /* nobody looks at what was lent any more */
typedef enum rs_code flow_produce(void *context, struct flow *flow, struct rs_error *err);
enum rs_code flow_create(uint64_t size, flow_produce *produce, void *context,
                         void (*free_context)(void *context), struct stream **out, struct rs_error *err);
void flow_begin(struct stream *flow); /* of flow_create() */

#endif
