# Expected numbers of the R package `survey` for its public data set `api` (stratified sample of schools).
# Run in this folder: Rscript make.R, with version 4.5 of the package or later (version.txt says which one it was).
suppressMessages(library(survey))
options(digits = 17)
data(api)
writeLines(as.character(packageVersion("survey")), "version.txt")
put <- function(x, file) {
  x[] <- lapply(x, function(v) if (is.numeric(v)) sprintf("%.17g", v) else v)
  write.csv(x, file, row.names = FALSE, quote = FALSE)
}
apistrat$stype <- as.character(apistrat$stype)
apistrat$yes <- as.integer(apistrat$sch.wide == "Yes")
input <- apistrat[, c("stype", "cnum", "api99", "api00", "enroll", "api.stu", "meals", "yes", "pw", "fpc")]
put(input, "apistrat_input.csv")

rows <- list()
add <- function(case, domain, item, value, se, deff, lower, upper, design.lower, design.upper)
  rows[[length(rows) + 1]] <<- data.frame(case = case, domain = domain, item = item, value = value, se = se,
    deff = deff, lower = lower, upper = upper, design_lower = design.lower, design_upper = design.upper)
record <- function(case, domain, items, est, design) {
  ci <- confint(est); ct <- confint(est, df = degf(design))
  for (i in seq_along(items)) add(case, domain, items[i], coef(est)[i], SE(est)[i], deff(est)[i],
    ci[i, 1], ci[i, 2], ct[i, 1], ct[i, 2])
}
items <- c("api00", "enroll", "api.stu", "meals")
vars <- ~api00 + enroll + api.stu + meals
design <- svydesign(id = ~1, strata = ~stype, fpc = ~fpc, data = apistrat)

record("total", "all", items, svytotal(vars, design, deff = TRUE), design)
record("mean", "all", items, svymean(vars, design, deff = TRUE), design)
record("mean", "all", "yes", svymean(~yes, design, deff = TRUE), design)
counties <- sort(unique(apistrat$cnum))
for (county in counties[table(factor(apistrat$cnum, counties)) >= 3]) {
  part <- subset(design, cnum == county)
  record("total", county, items, svytotal(vars, part, deff = TRUE), part)
  record("mean", county, items, svymean(vars, part, deff = TRUE), part)
}
ratio.row <- function(case, domain, item, r) {
  ci <- confint(r)
  add(case, domain, item, coef(r), SE(r), NA, ci[1], ci[2], NA, NA)
}
for (county in c("all", "1", "18", "36")) {
  part <- if (county == "all") design else subset(design, cnum == as.integer(county))
  ratio.row("ratio", county, "api.stu/enroll", svyratio(~api.stu, ~enroll, part))
  ratio.row("ratio", county, "api00/api99", svyratio(~api00, ~api99, part))
}
# Separate ratio: known stratum totals of enrolment from the population file.
apipop$stype <- as.character(apipop$stype)
known <- tapply(apipop$enroll, apipop$stype, sum, na.rm = TRUE)
separate <- svyratio(~api.stu, ~enroll, design, separate = TRUE)
p <- predict(separate, total = as.list(known[c("E", "H", "M")]))
put(data.frame(stype = names(known), enroll = as.numeric(known)), "enroll_by_stratum.csv")
add("separate", "all", "api.stu/enroll", as.numeric(p$total) / sum(known), as.numeric(p$se) / sum(known), NA, NA, NA, NA, NA)
# Smooth functions of totals and a multiple of two domain means (delta method of svycontrast and svyby).
totals <- svytotal(~api.stu + enroll + api00 + api99, design)
s <- svycontrast(totals, quote(log(api.stu / enroll) + sqrt(api00 / api99)))
add("contrast", "all", "log+sqrt", coef(s), SE(s), NA, NA, NA, NA, NA)
means <- svyby(~enroll, ~yes, design, svymean, covmat = TRUE)
m <- svycontrast(means, quote(`1` / `0`))
add("multiple", "all", "enroll", coef(m), SE(m), NA, NA, NA, NA, NA)
# Post-stratified weights of the unstratified view of the same data.
plain <- svydesign(id = ~1, weights = ~pw, data = apistrat)
targets <- data.frame(yes = c(0, 1), Freq = c(1500, 4694))
post <- postStratify(plain, ~yes, targets)
put(data.frame(weight = weights(post)), "poststratified_weight.csv")
put(do.call(rbind, rows), "apistrat_expected.csv")

# Lonely strata: strata of county x school type, population counted in the population file.
apistrat$cell <- paste(apistrat$cnum, apistrat$stype, sep = "-")
apipop$cell <- paste(apipop$cnum, apipop$stype, sep = "-")
size <- table(apipop$cell)
apistrat$N <- as.numeric(size[apistrat$cell])
put(apistrat[, c("cell", "N", "api00", "enroll", "api.stu", "yes")], "lonely_input.csv")
rows <- list()
fine <- svydesign(id = ~1, strata = ~cell, fpc = ~N, data = apistrat)
for (policy in c("certainty", "adjust", "average")) {
  options(survey.lonely.psu = policy)
  t <- svytotal(~api00 + enroll + yes, fine)
  for (i in 1:3) add(policy, "total", names(coef(t))[i], coef(t)[i], SE(t)[i], NA, NA, NA, NA, NA)
  m <- svymean(~api00 + enroll + yes, fine)
  for (i in 1:3) add(policy, "mean", names(coef(m))[i], coef(m)[i], SE(m)[i], NA, NA, NA, NA, NA)
  r <- svyratio(~api.stu, ~enroll, fine)
  add(policy, "ratio", "api.stu/enroll", coef(r), SE(r), NA, NA, NA, NA, NA)
}
put(do.call(rbind, rows), "lonely_expected.csv")

# Winsorization cutoffs: type 7 quantiles by school type.
cuts <- do.call(rbind, lapply(split(apistrat$enroll, apistrat$stype), quantile, probs = c(0.05, 0.95), type = 7))
put(data.frame(stype = rownames(cuts), lower = cuts[, 1], upper = cuts[, 2]), "quantiles.csv")
