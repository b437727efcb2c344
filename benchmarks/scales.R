# Scale scores in R, on the answers that benchmarks/scales.py left in a folder.
#
#     Rscript benchmarks/scales.R FOLDER LEAST_ANSWERED LOWEST HIGHEST     (scales.py calls it)
#
# The long table is made outside the clock. Two ways through data.table: wide with `dcast`, as the manual shows it, and
# group means without going wide, which takes no care of people who answered twice. And by hand in base R: a matrix
# filled by position.

arguments <- commandArgs(trailingOnly = TRUE)
folder <- arguments[1]
least <- as.numeric(arguments[2])
ends <- as.numeric(arguments[3]) + as.numeric(arguments[4])

suppressPackageStartupMessages(library(data.table))
setDTthreads(1)

read_numbers <- function(name, what, size) {
  path <- file.path(folder, paste0(name, ".bin"))
  readBin(path, what, file.size(path) / size, size = size, endian = "little")
}
items <- fread(file.path(folder, "items.csv"))
people <- readLines(file.path(folder, "people.txt"))
answers <- data.table(
  employee_id = people[read_numbers("person", "integer", 4)],
  wave = read_numbers("wave", "integer", 4),
  item = items$item[read_numbers("item", "integer", 4)],
  value = read_numbers("value", "double", 8)
)
answers[is.nan(value), value := NA_real_]
constructs <- unique(items$construct)

# Each way gives a list of data.tables (employee_id, wave, score), one a construct, in order of person and wave.
scored <- function(key, values) {
  enough <- rowMeans(!is.na(values)) >= least
  data.table(key, score = rowMeans(values, na.rm = TRUE))[enough]
}

by_dcast <- function() {
  known <- answers[!is.na(value)]
  known <- unique(known, by = c("employee_id", "wave", "item"), fromLast = TRUE)
  wide <- dcast(known, employee_id + wave ~ item, value.var = "value")
  for (code in items[reversed == 1, item]) set(wide, j = code, value = ends - wide[[code]])
  lapply(constructs, function(name) {
    scored(wide[, .(employee_id, wave)], as.matrix(wide[, items[construct == name, item], with = FALSE]))
  })
}

by_group <- function() {
  joined <- answers[!is.na(value)]
  at <- chmatch(joined$item, items$item)
  turned <- items$reversed[at] == 1
  joined[, `:=`(construct = items$construct[at], value = fifelse(turned, ends - value, value))]
  means <- joined[, .(score = mean(value), n = .N), keyby = .(construct, employee_id, wave)]
  lapply(constructs, function(name) {
    means[construct == name & n / sum(items$construct == name) >= least, .(employee_id, wave, score)]
  })
}

by_hand <- function() {
  person <- match(answers$employee_id, people)
  row <- (person - 1L) * max(answers$wave) + answers$wave
  lapply(constructs, function(name) {
    of_scale <- items[construct == name]
    column <- match(answers$item, of_scale$item)
    chosen <- which(!is.na(column) & !is.na(answers$value))
    values <- matrix(NA_real_, length(people) * max(answers$wave), nrow(of_scale))
    values[cbind(row[chosen], column[chosen])] <- answers$value[chosen]
    for (j in which(of_scale$reversed == 1)) values[, j] <- ends - values[, j]
    key <- data.table(employee_id = rep(people, each = max(answers$wave)), wave = seq_len(max(answers$wave)))
    scored(key, values)
  })
}

# ---- the clock ----

timed <- function(name, way) {
  invisible(gc(reset = TRUE))
  before <- proc.time()
  found <- way()
  after <- proc.time() - before
  writeBin(unlist(lapply(found, `[[`, "score")), file.path(folder, paste0("scores_", name, ".bin")), endian = "little")
  data.frame(what = name, wall = after[["elapsed"]], cpu = after[["user.self"]] + after[["sys.self"]], peak_mb = sum(gc()[, 6]))
}
times <- rbind(timed("dcast", by_dcast), timed("group", by_group), timed("hand", by_hand))
write.csv(times, file.path(folder, "r_times.csv"), row.names = FALSE)
