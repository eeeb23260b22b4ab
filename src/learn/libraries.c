#include "libraries.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static struct xgboost xgboost;
static struct libsvm libsvm;
static bool has_xgboost, has_libsvm;

static bool find(void *library, const char *name, void *out)
{
	void *symbol = library ? dlsym(library, name) : NULL;
	memcpy(out, &symbol, sizeof symbol);
	return symbol;
}

static void load_xgboost(void)
{
	void *library = dlopen("libxgboost.so.0", RTLD_LAZY | RTLD_LOCAL);
	has_xgboost = library;
#define FIND(name) has_xgboost &= find(library, #name, &xgboost.name);
	XGBOOST_FUNCTIONS(FIND)
#undef FIND
}

enum rs_code xgboost_load(const struct xgboost **out, struct rs_error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, load_xgboost);
	*out = &xgboost;
	return has_xgboost ? RS_OK
	                   : rs_error_set(err, RS_UNSUPPORTED,
	                                  "XGBoost 1.7 is not installed; on Debian: apt install libxgboost0");
}

static void say_nothing(const char *text RS_UNUSED) {}

static void load_libsvm(void)
{
	void *library = dlopen("libsvm.so.3", RTLD_LAZY | RTLD_LOCAL);
	has_libsvm = library;
#define FIND(name) has_libsvm &= find(library, #name, &libsvm.name);
	LIBSVM_FUNCTIONS(FIND)
#undef FIND
	if (has_libsvm)
		libsvm.svm_set_print_string_function(say_nothing);
}

enum rs_code libsvm_load(const struct libsvm **out, struct rs_error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, load_libsvm);
	*out = &libsvm;
	return has_libsvm ? RS_OK
	                  : rs_error_set(err, RS_UNSUPPORTED,
	                                 "libsvm 3 is not installed; on Debian: apt install libsvm3");
}
