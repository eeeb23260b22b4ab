/* What the two files that read studies share. */
#ifndef RS_PROGNOSIS_STUDY_FILE_H
#define RS_PROGNOSIS_STUDY_FILE_H

#include <yaml.h>

#include "study.h"

struct reading {
	yaml_document_t *document;
	struct study *study;
	struct rs_error *err;
};
unsigned long line_of(const yaml_node_t *node);
/* Into the study's arena. */
enum rs_code read_text(struct reading *r, const yaml_node_t *node, const char **out);
enum rs_code read_number(struct reading *r, const yaml_node_t *node, const char *name, bool whole,
                         double minimum, double maximum, double *out);
typedef enum rs_code read_pair(struct reading *r, const char *name, yaml_node_t *value, const void *context);
/* Names that occur twice are refused. */
enum rs_code each_pair(struct reading *r, yaml_node_t *node, read_pair *read, const void *context);

/* For the sentence that refuses a name. */
struct known_names {
	char text[512];
	size_t used;
};
void known_add(struct known_names *known, const char *name);
enum rs_code known_refuse(const struct known_names *known, struct reading *r, const yaml_node_t *at,
                          const char *name);

enum rs_code study_read_steps(struct reading *r, yaml_node_t *node);
enum rs_code study_read_models(struct reading *r, yaml_node_t *node);
/* The usual steps and model where the study names none; gaps are filled in any case. */
enum rs_code study_complete_plan(struct reading *r);
enum rs_code study_check_plan(const struct study *study, struct rs_error *err);

#endif
