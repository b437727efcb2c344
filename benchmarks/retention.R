# The retention estimate's bootstrap in R, on what benchmarks/retention.py left in a folder.
#
#     Rscript benchmarks/retention.R FOLDER REPETITIONS MONTH     (retention.py calls it)
#
# What does not depend on the draw is made once, outside the clock. Three ways to the curves: `survfit` for competing
# events, two plain `survfit`s, and the same sums by hand, as fast as we can make base R.

suppressPackageStartupMessages(library(survival))

arguments <- commandArgs(trailingOnly = TRUE)
folder <- arguments[1]
repetitions <- as.integer(arguments[2])
month <- as.numeric(arguments[3])

read_numbers <- function(name, what, size) {
  path <- file.path(folder, paste0(name, ".bin"))
  readBin(path, what, file.size(path) / size, size = size, endian = "little")
}
reals <- function(name) read_numbers(name, "double", 8)
integers <- function(name) read_numbers(name, "integer", 4)

# ---- the input, once ----

treated <- integers("treated")
trial <- integers("trial")
person <- integers("person")
order_of_rows <- integers("order")
coefficients_at_start <- reals("coefficients")
x <- matrix(reals("terms"), nrow = length(treated))
row <- integers("row")
entry <- reals("entry")
exit <- reals("exit")
outcome <- integers("outcome")
begin <- integers("survived_begin")
end <- integers("survived_end")
log_factor <- reals("log_factor")
counts <- matrix(integers("counts"), ncol = repetitions)
n_trials <- max(trial)
penalty <- c(0, rep(1, ncol(x) - 1))

outcome[exit > month] <- 0L
exit <- pmin(exit, month)
state <- factor(outcome, 0:3, c("censor", "voluntary", "involuntary", "other"))

arm_of <- function(is_treated) {
  take <- which(entry < month & treated[row] == is_treated)
  grid <- sort(unique(exit[take][outcome[take] > 0]))
  list(
    is_treated = is_treated, row = row[take],
    begin = begin[take], end = end[take], log_factor = log_factor[take],
    data = data.frame(
      id = seq_along(take), entry = entry[take], exit = exit[take], state = state[take],
      any = outcome[take] > 0, own = outcome[take] == 1L
    ),
    n_times = length(grid),
    first = findInterval(entry[take], grid) + 1L, last = findInterval(exit[take], grid) + 1L,
    event = which(outcome[take] > 0), kind = outcome[take][outcome[take] > 0]
  )
}
arms <- list(treated = arm_of(1L), control = arm_of(0L))

# ---- one repetition ----

by_trial <- function(values) {
  sums <- numeric(n_trials)
  found <- rowsum(values, trial, reorder = TRUE)
  sums[as.integer(rownames(found))] <- found
  sums
}

# Penalized logistic regression by Newton's method, from the coefficients of the whole company.
fit <- function(x, y, offset, counts, beta) {
  for (iteration in 1:100) {
    p <- 1 / (1 + exp(-(offset + drop(x %*% beta))))
    information <- crossprod(x, x * (counts * p * (1 - p)))
    diag(information) <- diag(information) + penalty
    step <- solve(information, drop(crossprod(x, counts * (y - p))) - penalty * beta)
    beta <- beta + pmax(pmin(step, 2), -2)
    if (max(abs(step)) < 1e-5) break
  }
  beta
}

difference <- function(count, risk) {
  started <- by_trial(treated * count)
  others <- by_trial((1 - treated) * count)
  offset <- ifelse(started > 0 & others > 0, log(started) - log(others), -Inf)[trial]
  used <- which(count > 0 & is.finite(offset))
  beta <- fit(x[used, ], treated[used], offset[used], count[used], coefficients_at_start)
  linear <- offset + drop(x %*% beta)
  odds <- exp(linear) * (1 - treated) * count
  odds[!is.finite(odds)] <- 0
  weight <- ifelse(treated == 1L, count * is.finite(offset), odds * (started / pmax(by_trial(odds), 1e-300))[trial])
  grown <- pmax(linear, 0) + log1p(exp(-abs(linear)))
  grown[!is.finite(linear)] <- 0
  passed <- c(0, cumsum(grown[order_of_rows]))
  risks <- vapply(arms, function(arm) {
    weights <- weight[arm$row]
    if (arm$is_treated == 0L) weights <- weights * exp(passed[arm$end] - passed[arm$begin] + arm$log_factor)
    risk(arm, weights)
  }, 0)
  unname(risks["treated"] - risks["control"])
}

# Multi-state `survfit` as the manual has it. Each interval is a subject of its own: given the person as `id`, it takes
# a person's weight for constant, and the curve is another one.
risk_by_multistate <- function(arm, weights) {
  data <- arm$data
  data$weights <- weights
  data <- data[weights > 0, ]
  curves <- survfit(Surv(entry, exit, state) ~ 1, data, weights = weights, id = id, se.fit = FALSE, timefix = FALSE)
  summary(curves, times = month, extend = TRUE)$pstate[1, curves$states == "voluntary"]
}

# The same curve from two plain ones, which need no id and are much faster: survival from any exit, and the hazard of
# the kind. Both have the same distinct times where every censoring and exit is listed.
risk_by_two_curves <- function(arm, weights) {
  data <- arm$data
  data$weights <- weights
  data <- data[weights > 0, ]
  any <- survfit(Surv(entry, exit, any) ~ 1, data, weights = weights, se.fit = FALSE, timefix = FALSE)
  own <- survfit(Surv(entry, exit, own) ~ 1, data, weights = weights, se.fit = FALSE, timefix = FALSE)
  sum(c(1, any$surv[-length(any$surv)]) * own$n.event / own$n.risk)
}

risk_by_hand <- function(arm, weights) {
  sum_at <- function(position, values) {
    found <- rowsum(values, position, reorder = FALSE)
    replace(numeric(arm$n_times + 1), as.integer(rownames(found)), found)
  }
  at_risk <- cumsum(sum_at(arm$first, weights) - sum_at(arm$last, weights))[seq_len(arm$n_times)]
  hazard <- function(chosen) {
    sum_at(arm$last[chosen] - 1L, weights[chosen])[seq_len(arm$n_times)] / pmax(at_risk, 1e-300)
  }
  before <- c(1, cumprod(1 - hazard(arm$event)))[seq_len(arm$n_times)]
  sum(before * hazard(arm$event[arm$kind == 1L]))
}

# ---- the clock ----

repeated <- function(risk) {
  before <- proc.time()
  drawn <- vapply(seq_len(repetitions), function(i) difference(as.double(counts[person, i]), risk), 0)
  after <- proc.time() - before
  list(drawn = drawn, wall = after[["elapsed"]], cpu = after[["user.self"]] + after[["sys.self"]])
}

ways <- list(
  `multi-state survfit` = repeated(risk_by_multistate),
  `two plain survfits` = repeated(risk_by_two_curves),
  `by hand` = repeated(risk_by_hand)
)
estimate <- difference(rep(1, length(treated)), risk_by_two_curves)
writeLines(sprintf("%.17g", estimate), file.path(folder, "r_estimate.txt"))
times <- data.frame(what = names(ways), wall = sapply(ways, `[[`, "wall"), cpu = sapply(ways, `[[`, "cpu"))
write.csv(times, file.path(folder, "r_times.csv"), row.names = FALSE)
drawn <- as.data.frame(lapply(ways, function(way) sprintf("%.17g", way$drawn)), check.names = FALSE)
write.csv(drawn, file.path(folder, "r_drawn.csv"), row.names = FALSE, quote = FALSE)
