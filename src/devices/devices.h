/* What devices send, judged: an envelope (envelope/envelope.h) is believed when the contract knows its key, and its sequence,
 * clock and name are in order. Then what belongs to it is admitted, and the envelope stands in its record. What cannot be
 * believed is kept encrypted in the node's quarantine until a member releases or discards it; it is never lost and never sealed
 * unseen.
 *
 * devices.sqlite remembers which sequences were used, what manifests list, and what is in quarantine; UIDs and hashes stand in
 * it as keyed locators, envelopes encrypted. quarantine/ is a vault of its own. */
#ifndef RS_DEVICES_H
#define RS_DEVICES_H

#include "envelope/envelope.h"
#include "workflow/workflow_intake.h"

#define RS_DEVICE_SKEW_MS \
	((uint64_t)5 * 60 * 1000) /* so far ahead a clock may be, beside the error that it tells */
#define RS_DEVICE_AGE_MS \
	((uint64_t)90 * 24 * 3600 * 1000)     /* so long a device may keep what it could not send */
#define RS_QUARANTINE_MAX ((uint64_t)4 << 30) /* bytes */
#define RS_QUARANTINE_COUNT_MAX ((uint64_t)10000)

/* Why something is in quarantine: number in the database (never renumber), name, sentence. */
#define RS_DISTRUSTS(X)                                                                      \
	X(UNKNOWN, 1, "unknown-device", "its key is no enrolled device's")                   \
	X(REVOKED, 2, "revoked", "the device's key was revoked")                             \
	X(ROTATED, 3, "rotated", "the device has another key since")                         \
	X(PERIOD, 4, "out-of-period", "the device's key is not valid at this time")          \
	X(NAME, 5, "device-name", "another device has this name, or another one brought it") \
	X(REPLAYED, 6, "replayed", "its sequence was used for something else before")        \
	X(CLOCK, 7, "clock", "it was made in the future, or too long ago, by the device's clock")
enum rs_distrust {
	RS_DISTRUST_NONE = 0,
#define RS_DISTRUST_MEMBER(member, number, name, text) RS_DISTRUST_##member = number,
	RS_DISTRUSTS(RS_DISTRUST_MEMBER)
#undef RS_DISTRUST_MEMBER
};
const char *rs_distrust_name(enum rs_distrust distrust);
const char *rs_distrust_text(enum rs_distrust distrust);

/* Beside an intake, which must outlive it. Any thread. */
struct rs_reception;
enum rs_code rs_reception_open(struct rs_node *node, struct rs_intake *intake, const struct rs_log *log,
                               struct rs_reception **out, struct rs_error *err);
void rs_reception_close(struct rs_reception *reception); /* accepts NULL; no delivery may be left */

/* Whether the ledger has a device of this key, whatever became of it. RS_NOT_FOUND */
enum rs_code rs_reception_knows(struct rs_reception *reception, const struct rs_member_key *key,
                                struct rs_error *err);

/* One envelope on its way in, with what belongs to it. One thread at a time. */
struct rs_delivery;
/* transport: "mqtt", "http"; device: whom the transport knows the sender as, empty when it does not.
 * errors  RS_MALFORMED, RS_ALTERED (a forged signature), RS_NO_SPACE (the quarantine is full), others: nothing is kept, and the
 *         device must not forget it */
enum rs_code rs_delivery_begin(struct rs_reception *reception, const char *transport, struct rs_str device,
                               struct rs_bytes envelope, struct rs_delivery **out, struct rs_error *err);
/* Bytes of the data set that are still to come; 0 when none are needed. */
uint64_t rs_delivery_wants(const struct rs_delivery *delivery);
enum rs_code rs_delivery_add(struct rs_delivery *delivery, struct rs_bytes bytes, struct rs_error *err);
/* code RS_OK: the acknowledgement (COSE_Sign1) tells what became of it, durably. Else nothing was kept. Called once, from any
 * thread; the delivery is gone then. */
typedef void rs_delivery_done(void *context, enum rs_code code, struct rs_bytes acknowledgement,
                              const struct rs_error *err);
void rs_delivery_end(struct rs_delivery *delivery, rs_delivery_done *done, void *context);
void rs_delivery_abandon(struct rs_delivery *delivery); /* accepts NULL */

/* DICOM has no place for envelopes: they come in an instance of Raw Data Storage, in its private element (0099,1010) of the
 * creator below, as a CBOR array of byte strings, before the instances that they are about. */
#define RS_SIDECAR_SOP_CLASS "1.2.840.10008.5.1.4.1.1.66"
#define RS_SIDECAR_CREATOR "RADSEAL ENVELOPE 1"
#define RS_SIDECAR_CREATOR_TAG UINT32_C(0x00990010)
#define RS_SIDECAR_TAG UINT32_C(0x00991010)
#define RS_SIDECAR_MAX ((size_t)16 << 20)
/* file: the instance. RS_NOT_FOUND when it has no such element. Envelopes that are not believed are told to the log, and what
 * they are about is admitted as of an unsigned source. */
enum rs_code rs_reception_sidecar(struct rs_reception *reception, struct rs_bytes file, struct rs_error *err);
/* Whether an envelope waits for an instance: then its data set is to be hashed. */
bool rs_reception_awaits(struct rs_reception *reception, const char *sop_instance_uid);
/* An instance that is whole, as rs_arrival_admit(). sha256: of its data set, when an envelope is awaited, else NULL. source as of
 * rs_arrival_vouch(). What came without an envelope and a manifest lists has that manifest's hash in its record; when the
 * manifest comes later, that is noted beside it (rs_listings_find()). */
void rs_reception_admit(struct rs_reception *reception, struct rs_arrival *arrival,
                        const char *sop_instance_uid, const struct rs_digest *sha256, const char *source,
                        rs_arrival_done *done, void *context);

/* An instance was admitted by another door than rs_reception_admit(): whether a manifest lists it is looked at. */
void rs_reception_arrived(struct rs_reception *reception, const char *sop_instance_uid);

/* What manifests said, and what came. */
struct rs_series_report {
	struct rs_member_key device;
	char name[RS_DEVICE_NAME_MAX + 1];
	uint64_t listed, arrived, quarantined, since_ms;
	uint64_t matched; /* of those that arrived: without an envelope of their own */
};
typedef enum rs_code rs_series_visit(void *context, const struct rs_series_report *report,
                                     struct rs_error *err);
/* In the order of their coming. Beside a serving node, too. */
enum rs_code rs_node_each_series(struct rs_node *node, rs_series_visit *visit, void *context,
                                 struct rs_error *err);

/* Which device's manifest lists what came without an envelope, whichever came first. A lookup borrows the node. */
struct rs_listing {
	struct rs_member_key device;
	char name[RS_DEVICE_NAME_MAX + 1];
	struct rs_digest manifest; /* SHA-256 of its COSE_Sign1 */
	bool is_sealed;            /* itself, */
	uint64_t entry;            /* here in the ledger */
};
struct rs_listings;
/* Beside a serving node, too. */
enum rs_code rs_listings_open(struct rs_node *node, struct rs_listings **out, struct rs_error *err);
void rs_listings_close(struct rs_listings *listings); /* accepts NULL */
/* By SHA-256 of the file, or by that of the manifest which its record names. RS_NOT_FOUND (no sentence) */
enum rs_code rs_listings_find(struct rs_listings *listings, const struct rs_digest *file,
                              struct rs_listing *out, struct rs_error *err);
/* By the node's locator of its content. */
enum rs_code rs_listings_content(struct rs_listings *listings, const struct rs_digest *content,
                                 struct rs_listing *out, struct rs_error *err);
enum rs_code rs_listings_manifest(struct rs_listings *listings, const struct rs_digest *manifest,
                                  struct rs_listing *out, struct rs_error *err);

struct rs_quarantined {
	uint64_t id, size, time_ms;
	enum rs_distrust distrust;
	enum rs_envelope_kind kind;
	enum rs_clock_quality clock;
	struct rs_member_key key;
	char device[RS_DEVICE_NAME_MAX + 1]; /* as it calls itself */
	uint64_t captured_ms;
};
typedef enum rs_code rs_quarantine_visit(void *context, const struct rs_quarantined *quarantined,
                                         struct rs_error *err);
enum rs_code rs_quarantine_each(struct rs_node *node, rs_quarantine_visit *visit, void *context,
                                struct rs_error *err);
/* Of who may: data engineers and administrators. Released, it is admitted, signed by the actor, its envelope in the record; who
 * released or discarded it when stays in devices.sqlite. errors  RS_REFUSED, RS_NOT_FOUND */
enum rs_code rs_quarantine_release(struct rs_node *node, const struct rs_actor *actor, uint64_t id,
                                   struct rs_error *err);
enum rs_code rs_quarantine_discard(struct rs_node *node, const struct rs_actor *actor, uint64_t id,
                                   struct rs_error *err);

/* After an erasure: what in quarantine says that it is of this patient is gone, and what else came of the same studies. What
 * says nothing of the kind (manifests, data sets without PatientID) stays, counted. actor: of who may release and discard;
 * NULL when the contract permitted the erasure.
 * errors  RS_REFUSED; RS_BUSY: traces are left while another process reads: call again */
struct rs_quarantine_forgotten {
	uint64_t removed, unattributed;
};
enum rs_code rs_quarantine_forget(struct rs_node *node, const struct rs_actor *actor, const char *issuer,
                                  const char *patient_id, struct rs_quarantine_forgotten *out,
                                  struct rs_error *err);

#endif
