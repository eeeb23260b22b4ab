/* An agent beside a scanner, for small machines: takes files from a directory, makes DICOM of those that are none, signs what it
 * sends (envelope/envelope.h), and forwards it to a node. What it took lies in a queue on its own disk until the node's signed
 * acknowledgement says that it is durable there: through kill -9, power cuts and lost connections. */
#ifndef RS_EDGE_H
#define RS_EDGE_H

#include <signal.h>

#include "envelope/envelope.h"

enum rs_edge_filter { RS_EDGE_UNFILTERED, RS_EDGE_MEDIAN, RS_EDGE_NLM };

struct rs_edge_options {
	const char *
		watch; /* directory; what is in its subdirectory "stat" goes first. NULL: what is queued is sent, no more */
	const char *listen; /* "HOST:PORT" where scanners may send by C-STORE; NULL: nowhere */
	const char *title;  /* the AE title that they call */
	const char *state;  /* directory of the queue */
	const char *device;
	const struct rs_cose_signer *signer;
	/* "mqtts://HOST:PORT" or "https://HOST:PORT" (TLS 1.3), "dicoms://TITLE@HOST:PORT"; each without s, in the clear */
	const char *target;
	const char *certificate, *key, *authorities; /* PEM files, for TLS */
	struct rs_member_key node; /* the log's key: who must acknowledge. Over DICOM success does */
	const char *patient; /* of files that name none; NULL: nobody, each file is of a study of its own */
	enum rs_edge_filter filter; /* of files that are no DICOM; the original is sent along */
	bool normalise;
	unsigned settle_ms,
		series_idle_ms; /* a file is whole, a series complete, when nothing changed for so long */
	uint64_t quota;         /* bytes of the queue; files stay where they are when it is full */
	uint64_t rate;          /* bytes a second at most; 0: as fast as it goes */
	bool once;              /* until the directory and the queue are empty */
	const struct rs_log *log;
};

struct rs_edge_summary {
	uint64_t taken, acknowledged, quarantined,
		refused; /* refused: files that are no images, moved to ".refused" */
	uint64_t bytes;  /* of data sets that were acknowledged */
};
/* Until *stop, or as options say. errors  RS_USAGE; RS_BUSY: another agent has this queue; RS_IO */
enum rs_code rs_edge_run(const struct rs_world *world, const struct rs_edge_options *options,
                         const volatile sig_atomic_t *stop, struct rs_edge_summary *out,
                         struct rs_error *err);

#endif
