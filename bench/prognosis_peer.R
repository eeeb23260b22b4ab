# Peers of bench/prognosis: Rscript prognosis_peer.R FOLDER WORK TURNS prints package and version, tab, seconds of the processor (median).
# Ends with status 3 when a package is not installed.
arguments <- commandArgs(TRUE)
folder <- arguments[1]; work <- arguments[2]; turns <- as.integer(arguments[3])
data <- function(name) read.csv(file.path(folder, paste0(name, ".csv")))
need <- function(package) {
  if (!suppressWarnings(suppressMessages(require(package, character.only = TRUE, quietly = TRUE)))) quit(status = 3)
  package
}
timed <- function(package, run) {
  seconds <- sapply(seq_len(turns), function(turn) { used <- system.time(run()); used[["user.self"]] + used[["sys.self"]] })
  cat(sprintf("%s %s\t%.6f\n", package, packageVersion(package), median(seconds)))
}
peers <- list(
  "kaplan-meier" = function() { p <- need("survival"); d <- data("many"); y <- Surv(d$time, d$event); timed(p, function() survfit(y ~ 1)) },
  "delong" = function() { p <- need("pROC"); d <- data("many")
    timed(p, function() var(roc(d$event, d$x0, quiet = TRUE, direction = "<"), method = "delong")) },
  "concordance" = function() { p <- need("survival"); d <- data("many"); y <- Surv(d$time, d$event)
    timed(p, function() concordance(y ~ d$x0, reverse = TRUE)) },
  "cox" = function() { p <- need("survival"); d <- data("many"); timed(p, function() coxph(Surv(time, event) ~ ., d)) },
  "bootstrap" = function() { p <- need("survival"); d <- data("lung")
    timed(p, function() { set.seed(1); for (b in 1:1000) {
      r <- d[sample(nrow(d), replace = TRUE), ]; f <- coxph(Surv(time, event) ~ ., r); f$concordance } }) },
  "cox-path" = function() { need("survival"); p <- need("glmnet"); d <- data("gliomas"); y <- Surv(d$time, d$event)
    x <- as.matrix(d[, -(1:2)]); timed(p, function() cv.glmnet(x, y, family = "cox", foldid = rep(1:10, length.out = nrow(x)))) },
  "survival-forest" = function() { p <- need("ranger"); d <- data("rotterdam")
    timed(p, function() ranger(Surv(time, event) ~ ., d, num.trees = 500, min.node.size = 8, splitrule = "extratrees", num.threads = 1)) },
  "forest" = function() { p <- need("ranger"); d <- data("radiomics"); d$time <- NULL; d$event <- factor(d$event)
    timed(p, function() ranger(dependent.variable.name = "event", data = d, num.trees = 500, probability = TRUE, num.threads = 1)) })
if (is.null(peers[[work]])) quit(status = 3)
if (work == "survival-forest") need("survival")
peers[[work]]()
