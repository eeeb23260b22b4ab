/* Steps and models of a study file. */
#ifndef RS_STUDY_PLAN_FILE_H
#define RS_STUDY_PLAN_FILE_H

#include "study/study_yaml.h"

enum rs_code study_read_steps(struct rs_study_reading *r, yaml_node_t *node);
enum rs_code study_read_models(struct rs_study_reading *r, yaml_node_t *node);
/* The usual steps and model where the study names none; gaps are filled in any case. */
enum rs_code study_complete_plan(struct rs_study_reading *r);
enum rs_code study_check_plan(const struct rs_study *study, struct rs_error *err);

#endif
