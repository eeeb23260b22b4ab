/* Rows with those above them, opened. */
#ifndef RS_CATALOGUE_LOADER_H
#define RS_CATALOGUE_LOADER_H

#include "rows.h"

struct row {
	int64_t id; /* 0: none */
	int64_t parent;
	bool is_there, is_passed; /* passed: it does not match */
	struct rs_buffer name, box, plain;
};

struct loader {
	struct rs_catalogue *catalogue;
	struct row rows[RS_LEVEL_COUNT];
	struct rs_secret key; /* of rows[RS_LEVEL_PATIENT] */
	/* Of a row that was opened just now, whether it is passed over, and what is below it; NULL: never. */
	enum rs_code (*judge)(struct loader *loader, enum rs_level level, bool *out_passed,
	                      struct rs_error *err);
};
void loader_init(struct loader *loader, struct rs_catalogue *catalogue,
                 enum rs_code (*judge)(struct loader *, enum rs_level, bool *, struct rs_error *));
void loader_finish(struct loader *loader);
/* Opens a row, those above it first; what is in hand already stays. rows[level] tells whether it is there. */
enum rs_code loader_get(struct loader *loader, enum rs_level level, int64_t id, struct rs_error *err);

#endif
