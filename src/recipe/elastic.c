#include "elastic.h"

#include <stdlib.h>

#include "base/base_random.h"

const char *const elastic_words[] = {"best", "sparsest", NULL};

struct seat {
	uint32_t subject;
	uint8_t outcome;
	size_t row;
};
static int by_subject(const void *a, const void *b)
{
	const struct seat *x = a, *y = b;
	if (x->subject != y->subject)
		return x->subject < y->subject ? -1 : 1;
	return (x->row > y->row) - (x->row < y->row);
}

/* Subjects are dealt out class by class. Returns how many folds there are. */
static uint32_t deal(const struct rs_lesson *lesson, struct seat *seats, size_t *order, size_t folds,
                     uint32_t *fold)
{
	size_t subjects = 0, next = 0;
	size_t *first = order + lesson->rows;
	qsort(seats, lesson->rows, sizeof *seats, by_subject);
	for (size_t i = 0; i < lesson->rows; i++) {
		if (i == 0 || seats[i].subject != seats[i - 1].subject)
			first[subjects++] = i;
		else if (seats[i].outcome > seats[first[subjects - 1]].outcome)
			seats[first[subjects - 1]].outcome = seats[i].outcome;
	}
	if (folds > subjects)
		folds = subjects;
	rs_shuffle(order, subjects, lesson->seed, 0x656e6574);
	for (unsigned class = RS_CLASSES_MAX; class -- > 0;)
		for (size_t k = 0; k < subjects; k++) {
			size_t from = first[order[k]];
			if (seats[from].outcome != class)
				continue;
			for (size_t i = from; i < lesson->rows && seats[i].subject == seats[from].subject;
			     i++)
				fold[seats[i].row] = (uint32_t)(next % folds);
			next++;
		}
	return (uint32_t)folds;
}

static enum rs_code deal_folds(const struct rs_lesson *lesson, size_t folds, uint32_t *fold,
                               uint32_t *out_folds, struct rs_error *err)
{
	struct seat *seats RS_CLEANUP(rs_free_pointer) = rs_allocate_array(lesson->rows, sizeof *seats);
	size_t *order RS_CLEANUP(rs_free_pointer) = rs_allocate_array(lesson->rows, 2 * sizeof *order);
	if (!seats || !order)
		return rs_error_memory(err, lesson->rows * sizeof *seats, "folds");
	for (size_t r = 0; r < lesson->rows; r++)
		seats[r] = (struct seat){lesson->subject ? lesson->subject[r] : (uint32_t)r,
		                         lesson->outcome[r], r};
	*out_folds = deal(lesson, seats, order, folds, fold);
	return RS_OK;
}

struct question {
	struct rs_matrix x;
	uint32_t *labels;
	struct rs_elastic_net_data data;
};

static void question_finish(struct question *question) { rs_free(question->labels); }

static enum rs_code question_init(struct question *q, const struct rs_lesson *lesson, struct rs_error *err)
{
	q->x = (struct rs_matrix){lesson->rows, lesson->shape.columns, lesson->x};
	q->data = (struct rs_elastic_net_data){
		.x = &q->x,
		.weight = lesson->weight,
		.classes = lesson->shape.classes,
		.unordered = lesson->shape.target == RS_TARGET_CLASSES,
		.time = lesson->time,
		.event = lesson->outcome,
		.stratum = lesson->stratum,
	};
	if (lesson->shape.target == RS_TARGET_SURVIVAL)
		return RS_OK;
	q->labels = rs_allocate_array(lesson->rows, sizeof *q->labels);
	if (!q->labels)
		return rs_error_memory(err, lesson->rows * sizeof *q->labels, "an elastic net");
	for (size_t r = 0; r < lesson->rows; r++)
		q->labels[r] = lesson->outcome[r];
	q->data.labels = q->labels;
	return RS_OK;
}

enum rs_code elastic_fit(const struct rs_lesson *lesson, const struct elastic_options *options,
                         struct rs_elastic_net_path *out, size_t *out_lambda, struct rs_error *err)
{
	struct question question RS_CLEANUP(question_finish) = {.labels = NULL};
	struct rs_elastic_net_validation validation RS_CLEANUP(rs_elastic_net_validation_finish) = {0};
	uint32_t *fold RS_CLEANUP(rs_free_pointer) = rs_allocate_array(lesson->rows, sizeof *fold), folds = 0;
	if (!fold)
		return rs_error_memory(err, lesson->rows * sizeof *fold, "folds");
	const struct rs_elastic_net_options net = {.mixing = options->mixing,
	                                           .lambda_count = (size_t)options->lambdas};
	RS_TRY(question_init(&question, lesson, err));
	RS_TRY(deal_folds(lesson, (size_t)options->folds, fold, &folds, err));
	enum rs_code code = folds < 2 ? RS_NOT_FOUND
	                              : rs_elastic_net_validate(&question.data, &net, fold, folds,
	                                                        lesson->pool, out, &validation, err);
	if (code == RS_NOT_FOUND) { /* a fold takes the only rows of a class, or all events */
		*out_lambda = 0;
		return rs_elastic_net_fit(&question.data, &net, out, err);
	}
	RS_TRY(code);
	*out_lambda = options->lambda == ELASTIC_BEST ? validation.best : validation.sparsest;
	return RS_OK;
}

enum rs_code elastic_fit_at(const struct rs_lesson *lesson, double mixing, double lambda,
                            struct rs_elastic_net_path *out, struct rs_error *err)
{
	struct question question RS_CLEANUP(question_finish) = {.labels = NULL};
	RS_TRY(question_init(&question, lesson, err));
	const struct rs_elastic_net_options net = {.mixing = mixing,
	                                           .as_given = true,
	                                           .lambdas = &lambda,
	                                           .lambda_count = 1,
	                                           .threshold = 1e-20};
	return rs_elastic_net_fit(&question.data, &net, out, err);
}
