/* The DICOM upper layer for TCP/IP (PS3.8): bytes in, bytes out, nothing of sockets, threads or clocks.
 *
 * An association is fed with what was received and gives one event at a time: a request to associate, a command, a piece of
 * a data set as it arrives, a release, an abort. What is to be sent is collected in its `out`. Its memory is bounded: association
 * PDUs by RS_ASSOCIATE_PDU_MAX, commands by RS_COMMAND_SIZE_MAX; data sets are handed on and not kept. */
#ifndef RS_DICOMNET_H
#define RS_DICOMNET_H

#include "base/base.h"

#define RS_UID_SIZE 65                            /* PS3.5 section 9.1: 64 characters at most */
#define RS_TITLE_SIZE 17                          /* AE titles have 16 at most */
#define RS_PDU_SIZE_OFFERED ((uint32_t)1 << 18)   /* "maximum length" we offer for P-DATA-TF PDUs */
#define RS_PDU_SIZE_SENT_MAX ((uint32_t)1 << 18)  /* that we send to who takes any */
#define RS_PDU_SIZE_SENT_MIN ((uint32_t)128)      /* a peer that takes less is refused */
#define RS_ASSOCIATE_PDU_MAX ((size_t)256 * 1024) /* body of an A-ASSOCIATE PDU */
#define RS_COMMAND_SIZE_MAX ((size_t)16 * 1024)   /* encoded command set */
#define RS_CONTEXTS_MAX 128                       /* identifiers are odd bytes */
#define RS_PDATA_HEADER_SIZE 12                   /* of a P-DATA-TF PDU with one value in it */
#define RS_DICOM_IMPLEMENTATION_UID "2.25.164054415084665499718709499180594679810"
#define RS_DICOM_IMPLEMENTATION_VERSION "RADSEAL_1"
#define RS_DICOM_APPLICATION_CONTEXT "1.2.840.10008.3.1.1.1"

/* What a SOP class is for; bits. */
enum rs_service {
	RS_SERVICE_VERIFICATION = 1,
	RS_SERVICE_STORAGE = 2, /* PS3.4 annexes B, GG: every class below the storage root, known or newer */
	RS_SERVICE_STORAGE_PRIVATE = 4, /* UIDs that are not DICOM's */
	RS_SERVICE_FIND = 8,
	RS_SERVICE_MOVE = 16,
	RS_SERVICE_GET = 32,
	RS_SERVICE_COMMITMENT = 64,
};
#define RS_SERVICES_ALL ((unsigned)127)
/* 0 for a class that belongs to none of them. */
unsigned rs_service_of(struct rs_str sop_class);
#define RS_SOP_VERIFICATION "1.2.840.10008.1.1"
#define RS_SOP_COMMITMENT "1.2.840.10008.1.20.1"
#define RS_SYNTAX_IMPLICIT_LE "1.2.840.10008.1.2"
#define RS_SYNTAX_EXPLICIT_LE "1.2.840.10008.1.2.1"

/* A-ASSOCIATE-RQ and -AC (PS3.8 sections 9.3.2, 9.3.3; PS3.7 annex D). Views borrow the PDU. */
struct rs_presentation {
	uint8_t id, result;                /* result: of an answer, enum rs_presentation_result */
	struct rs_str abstract_syntax;     /* empty in an answer */
	struct rs_bytes transfer_syntaxes; /* items of type 40H, checked: rs_presentation_next() */
};
enum rs_presentation_result {
	RS_PRESENTATION_ACCEPTED,
	RS_PRESENTATION_USER_REJECTED,
	RS_PRESENTATION_NO_REASON,
	RS_PRESENTATION_NO_ABSTRACT_SYNTAX,
	RS_PRESENTATION_NO_TRANSFER_SYNTAX
};
struct rs_role_selection {
	struct rs_str sop_class;
	bool scu, scp;
};
struct rs_extended {
	struct rs_str sop_class;
	struct rs_bytes information;
};
struct rs_associate {
	uint16_t protocol;
	char called[RS_TITLE_SIZE], calling[RS_TITLE_SIZE]; /* without the spaces around them */
	struct rs_str application_context, implementation_uid, implementation_version;
	struct rs_presentation contexts[RS_CONTEXTS_MAX];
	struct rs_role_selection roles[RS_CONTEXTS_MAX];
	struct rs_extended extended[RS_CONTEXTS_MAX];
	size_t context_count, role_count, extended_count;
	uint32_t max_length;         /* of P-DATA-TF PDUs the sender takes; 0: any */
	uint16_t invoked, performed; /* asynchronous operations window; 1 and 1 when absent */
	bool has_window;
	uint8_t identity; /* type of user identity; 0: none */
	bool identity_wants_answer;
	struct rs_bytes identity_primary, identity_secondary; /* primary: of an answer, the server's */
};
/* `body` is what follows the six bytes of a PDU's header. errors  RS_MALFORMED, RS_TOO_LARGE */
enum rs_code rs_associate_decode(struct rs_bytes body, bool is_answer, struct rs_associate *out,
                                 struct rs_error *err);
/* The whole PDU, appended. */
enum rs_code rs_associate_encode(const struct rs_associate *associate, bool is_answer, struct rs_buffer *out,
                                 struct rs_error *err);
/* The next transfer syntax of a proposal; begin with *position = 0. */
bool rs_presentation_next(const struct rs_presentation *presentation, size_t *position, struct rs_str *out);
/* Appends one item of transfer_syntaxes. */
void rs_presentation_add(struct rs_buffer *items, struct rs_str transfer_syntax);

/* A context both sides agreed on. */
struct rs_context {
	uint8_t id;
	unsigned service;
	bool peer_is_scp; /* the peer provides the service, we use it: C-STORE to who asked by C-GET */
	char sop_class[RS_UID_SIZE], transfer_syntax[RS_UID_SIZE];
};
struct rs_contexts {
	struct rs_context *items;
	size_t count;
};
void rs_contexts_finish(struct rs_contexts *contexts); /* accepts NULL and zeroed memory */
const struct rs_context *rs_contexts_find(const struct rs_contexts *contexts, uint8_t id); /* or NULL */

/* What an AE takes from a peer. Services but storage speak uncompressed little endian. Storage takes any transfer syntax, or
 * one of these (separated by commas, NULL: any); of what a peer proposes, the first. */
struct rs_acceptance {
	unsigned services;
	const char *transfer_syntaxes;
};
/* The answer's views borrow the request. errors  RS_NO_MEMORY */
enum rs_code rs_negotiate(const struct rs_associate *request, const struct rs_acceptance *policy,
                          struct rs_associate *out_answer, struct rs_contexts *out_contexts,
                          struct rs_error *err);
/* What the answer leaves of what was asked for; the refused ones are left out. errors  RS_MALFORMED, RS_NO_MEMORY */
enum rs_code rs_contexts_agreed(const struct rs_associate *request, const struct rs_associate *answer,
                                struct rs_contexts *out, struct rs_error *err);

/* A-ASSOCIATE-RJ (PS3.8 table 9-21): reasons of the service-user, and of its provider from 0x20 (ACSE) and 0x30 on. */
enum rs_reject {
	RS_REJECT_NO_REASON = 0x11,
	RS_REJECT_APPLICATION_CONTEXT = 0x12,
	RS_REJECT_CALLING_TITLE = 0x13,
	RS_REJECT_CALLED_TITLE = 0x17,
	RS_REJECT_PROTOCOL_VERSION = 0x22,
	RS_REJECT_CONGESTION = 0x31,
	RS_REJECT_LIMIT = 0x32,
};
/* A-ABORT (PS3.8 table 9-26). */
enum rs_abort_source { RS_ABORT_USER = 0, RS_ABORT_PROVIDER = 2 };
enum rs_abort_reason {
	RS_ABORT_UNSPECIFIED = 0,
	RS_ABORT_UNRECOGNIZED_PDU = 1,
	RS_ABORT_UNEXPECTED_PDU = 2,
	RS_ABORT_UNRECOGNIZED_PARAMETER = 4,
	RS_ABORT_UNEXPECTED_PARAMETER = 5,
	RS_ABORT_INVALID_PARAMETER = 6
};
/* "the called AE title is not known here", for what a peer answered. Static. */
const char *rs_reject_text(uint8_t result, uint8_t source, uint8_t reason);
const char *rs_abort_text(uint8_t source, uint8_t reason);

#endif
