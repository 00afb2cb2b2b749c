# Expected numbers of the R package `survey` (4.5 or later) for its public data set `mu284`: the two-stage sample of
# municipalities that Särndal, Swensson and Wretman (1992) work through on page 143 (example 4.3.2).
# Run in this folder: Rscript make.R; version.txt says which version it was.
suppressMessages(library(survey))
options(digits = 17)
data(mu284)
writeLines(as.character(packageVersion("survey")), "version.txt")
write.csv(mu284[, c("id1", "n1", "n2", "y1")], "input.csv", row.names = FALSE, quote = FALSE)
est <- svytotal(~y1, svydesign(id = ~id1 + id2, fpc = ~n1 + n2, data = mu284))
expected <- data.frame(value = sprintf("%.17g", coef(est)), variance = sprintf("%.17g", vcov(est)[1, 1]))
write.csv(expected, "expected.csv", row.names = FALSE, quote = FALSE)
