/* What files of studies, of tables or of pictures, are read with. */
#ifndef RS_STUDY_YAML_H
#define RS_STUDY_YAML_H

#include <yaml.h>

#include "study/study.h"

struct rs_study_reading {
	yaml_document_t *document; /* while rs_study_read_file() lasts */
	struct rs_study *study;
	struct rs_error *err;
};
unsigned long rs_study_line_of(const yaml_node_t *node);
/* Into the study's arena. */
enum rs_code rs_study_read_text(struct rs_study_reading *r, const yaml_node_t *node, const char **out);
enum rs_code rs_study_read_number(struct rs_study_reading *r, const yaml_node_t *node, const char *name,
                                  bool whole, double minimum, double maximum, double *out);
typedef enum rs_code rs_study_read_pair(struct rs_study_reading *r, const char *name, yaml_node_t *value,
                                        const void *context);
/* Names that occur twice are refused. */
enum rs_code rs_study_each_pair(struct rs_study_reading *r, yaml_node_t *node, rs_study_read_pair *read,
                                const void *context);
/* The pairs of a whole file; then what is left to do while its document is there (NULL: nothing).
 * errors  RS_MALFORMED with the line */
typedef enum rs_code rs_study_complete(struct rs_study_reading *r);
enum rs_code rs_study_read_file(struct rs_study_reading *r, struct rs_bytes file, rs_study_read_pair *read,
                                const void *context, rs_study_complete *complete);

/* For the sentence that refuses a name. */
struct rs_known_names {
	char text[512];
	size_t used;
};
void rs_known_add(struct rs_known_names *known, const char *name);
enum rs_code rs_known_refuse(const struct rs_known_names *known, struct rs_study_reading *r,
                             const yaml_node_t *at, const char *name);

#endif
