# The benchmark tasks with the R package `survey`. Arguments: folder with the binary columns, number of items,
# letters of the tasks, number of replicates, "deff" or "plain". Writes "task seconds processor-seconds" to
# seconds.txt as each task ends.
suppressMessages(library(survey))
arguments <- commandArgs(trailingOnly = TRUE)
folder <- arguments[1]; items <- as.integer(arguments[2]); tasks <- strsplit(arguments[3], "")[[1]]
replicates <- as.integer(arguments[4])
at <- file.path(folder, "population.bin")
population <- readBin(at, "double", file.size(at) / 8)  # a larger count would be reserved in memory
n <- length(population)
codes <- matrix(readBin(file.path(folder, "codes.bin"), "integer", 5 * n), n)
data <- as.data.frame(codes); names(data) <- c("h", "region", "industry", "size", "category")
data$N <- population
for (name in c("y", "x", "now", "old")) {
  block <- matrix(readBin(file.path(folder, paste0(name, ".bin")), "double", n * items), n)
  colnames(block) <- paste0(name, seq_len(items)); data <- cbind(data, block)
}
# The design effect of many columns goes through all their pairs: a hundred times the time, and before 4.5 all memory.
with.deff <- arguments[5] == "deff"
options(survey.lonely.psu = "adjust")
design <- svydesign(id = ~1, strata = ~h, fpc = ~N, data = data)
sum.of <- function(name) as.formula(paste("~", paste0(name, seq_len(items), collapse = "+")))
y <- sum.of("y")
ratios <- function(top, bottom, by) for (j in seq_len(items)) {
  a <- as.formula(paste0("~", top, j)); b <- as.formula(paste0("~", bottom, j))
  svyratio(a, b, design); svyby(a, by, design, svyratio, denominator = b)
}
work <- list(
  a = function() svytotal(y, design, deff = with.deff),
  b = function() for (d in c("region", "industry", "size", "category"))
    svyby(y, as.formula(paste0("~", d)), design, svytotal, deff = with.deff),
  c = function() svyby(y, ~region + industry, design, svytotal, deff = with.deff),
  d = function() ratios("y", "x", ~region),
  e = function() ratios("now", "old", ~industry),
  f = function() svytotal(y, as.svrepdesign(design, type = "subbootstrap", replicates = replicates)))
for (task in tasks) {
  took <- system.time(work[[task]]())
  cat(task, took[["elapsed"]], took[["user.self"]] + took[["sys.self"]], "\n", file = file.path(folder, "seconds.txt"), append = TRUE)
}
