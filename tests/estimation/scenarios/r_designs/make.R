# Expected numbers of the R package `survey` (4.5 or later) for designs made of its public data set `api`.
# Run in this folder: Rscript make.R; version.txt says which version it was.
# Strata: school types, with a fourth one taken whole. Weights: N_h / n_h ("plain") or given ones ("given").
suppressMessages(library(survey))
options(digits = 17)
data(api)
writeLines(as.character(packageVersion("survey")), "version.txt")
put <- function(x, file) {
  x[] <- lapply(x, function(v) if (is.numeric(v)) sprintf("%.17g", v) else v)
  write.csv(x, file, row.names = FALSE, quote = FALSE)
}
# High schools above 2,500 pupils are a stratum of their own, all of them: 1 - f is 0 there.
apistrat$h <- as.character(apistrat$stype)
large <- apistrat$stype == "H" & apistrat$enroll > 2500
apistrat$h[large] <- "L"
apistrat$N <- ifelse(large, sum(large), apistrat$fpc)
apistrat$type <- as.integer(factor(apistrat$stype)) - 1
apistrat$wide <- as.integer(apistrat$sch.wide == "Yes")
apistrat$award <- as.integer(apistrat$awards == "Yes")
n.h <- table(apistrat$h)
apistrat$plain <- apistrat$N / as.numeric(n.h[apistrat$h])
# Weights that differ inside strata: adjusted by a made-up factor of the school number.
apistrat$given <- apistrat$plain * (0.75 + (apistrat$snum %% 11) / 20)
# The panel: three schools of four; what is missing there stays in the data as it is.
apistrat$panel <- as.integer(apistrat$snum %% 4 != 0)
input <- apistrat[, c("h", "N", "type", "wide", "award", "panel", "plain", "given", "api99", "api00", "enroll",
  "api.stu", "meals")]
put(input, "input.csv")

rows <- list()
add <- function(weights, case, domain, item, value, se, deff = NA, lower = NA, upper = NA)
  rows[[length(rows) + 1]] <<- data.frame(weights = weights, case = case, domain = domain, item = item,
    value = as.numeric(value), se = as.numeric(se), deff = as.numeric(deff), lower = lower, upper = upper)
items <- c("api00", "enroll", "meals", "award")
vars <- ~api00 + enroll + meals + award
for (w in c("plain", "given")) {
  design <- svydesign(id = ~1, strata = ~h, fpc = ~N, weights = as.formula(paste0("~", w)), data = apistrat)
  parts <- list(all = design)
  for (t in 0:2) parts[[as.character(t)]] <- subset(design, type == t)
  for (t in 0:2) for (s in 0:1) parts[[paste(t, s, sep = ".")]] <- subset(design, type == t & wide == s)
  for (d in names(parts)) {
    part <- parts[[d]]
    for (case in c("total", "mean")) {
      est <- (if (case == "total") svytotal else svymean)(vars, part, deff = TRUE)
      # Limits of Student's t on the degrees of freedom of the domain.
      ct <- confint(est, df = degf(part))
      for (i in 1:4) add(w, case, d, items[i], coef(est)[i], SE(est)[i], deff(est)[i], ct[i, 1], ct[i, 2])
    }
    r <- svyratio(~api.stu, ~enroll, part, deff = TRUE)
    ct <- confint(r, df = degf(part))
    add(w, "ratio", d, "api.stu/enroll", coef(r), SE(r), attr(r, "deff"), ct[1], ct[2])
    r <- svyratio(~api00, ~api99, subset(part, panel == 1), deff = TRUE)
    add(w, "growth", d, "api00/api99", coef(r) - 1, SE(r), attr(r, "deff"))
    # Probabilities off the steps of F: on a step the package leaves the choice to rounding.
    q <- svyquantile(~api00 + enroll, part, c(0.0731, 0.2531, 0.5117, 0.8873), df = Inf)
    for (item in names(q)) for (i in 1:4) add(w, paste0("quantile", rownames(q[[item]])[i]), d, item,
      q[[item]][i, 1], q[[item]][i, 4], NA, q[[item]][i, 2], q[[item]][i, 3])
  }
  # svyby gives what the subsets give; one check here, so that both doors of the package are on record.
  by <- svyby(~enroll, ~type + wide, design, svytotal, deff = TRUE)
  for (i in seq_len(nrow(by))) add(w, "svyby", paste(by$type[i], by$wide[i], sep = "."), "enroll", by$enroll[i],
    by$se[i], by$DEff.enroll[i])

  # Panel growth in classes (school types), weighted by previous levels: estimated in the full sample, or known.
  for (k in 0:2) for (v in c("full", "old", "new")) {
    value <- if (v == "new") apistrat$api00 else apistrat$api99
    use <- apistrat$type == k & (v == "full" | apistrat$panel == 1)
    design$variables[[paste0(v, k)]] <- ifelse(use, value, 0)
  }
  t <- svytotal(~full0 + full1 + full2 + old0 + old1 + old2 + new0 + new1 + new2, design)
  g <- svycontrast(t, quote((full0 * new0 / old0 + full1 * new1 / old1 + full2 * new2 / old2) /
    (full0 + full1 + full2) - 1))
  add(w, "stratified", "all", "api00/api99", coef(g), SE(g))
  g <- svycontrast(t, quote((2e6 * new0 / old0 + 5e5 * new1 / old1 + 7e5 * new2 / old2) / 3.2e6 - 1))
  add(w, "stratified known", "all", "api00/api99", coef(g), SE(g))
  # Level growth of two totals of one sample, and a function with roots and logarithms.
  t <- svytotal(~api00 + api99 + enroll + api.stu + meals, design)
  g <- svycontrast(t, quote(api00 / api99 - 1))
  add(w, "level growth", "all", "api00/api99", coef(g), SE(g))
  g <- svycontrast(t, quote(sqrt(api.stu / enroll) * exp(meals / api00) - log(enroll) / 10))
  add(w, "contrast", "all", "sqrt exp log", coef(g), SE(g))
  m <- svyby(~enroll, ~wide, design, svymean, covmat = TRUE)
  g <- svycontrast(m, quote(`1` / `0`))
  add(w, "multiple", "all", "enroll", coef(g), SE(g))
  # Known stratum totals of x for the separate ratio.
  known <- list(E = 1.8e6, H = 5e5, L = 4e4, M = 9e5)
  p <- predict(svyratio(~api.stu, ~enroll, design, separate = TRUE), total = known)
  add(w, "separate", "all", "api.stu/enroll", as.numeric(p$total) / sum(unlist(known)),
    as.numeric(p$se) / sum(unlist(known)))
  # Delete-one jackknife with finite-population correction: for totals it is the linearised error exactly.
  if (w == "plain") {
    jack <- as.svrepdesign(design, type = "JKn")
    t <- svytotal(~api00 + enroll, jack)
    add(w, "jackknife total", "all", "api00", coef(t)[1], SE(t)[1])
    add(w, "jackknife total", "all", "enroll", coef(t)[2], SE(t)[2])
    r <- svyratio(~api.stu, ~enroll, jack)
    add(w, "jackknife ratio", "all", "api.stu/enroll", coef(r), SE(r))
  }
}
put(do.call(rbind, rows), "expected.csv")

# Lonely strata, by policy, with design effects: strata of county x school type.
apistrat$cell <- paste(apistrat$cnum, apistrat$stype, sep = "-")
size <- table(paste(apipop$cnum, apipop$stype, sep = "-"))
apistrat$M <- as.numeric(size[apistrat$cell])
apistrat$u <- apistrat$given / apistrat$plain * apistrat$M / as.numeric(table(apistrat$cell)[apistrat$cell])
put(apistrat[, c("cell", "M", "u", "api99", "api00", "enroll", "api.stu", "wide", "panel")], "lonely_input.csv")
rows <- list()
fine <- svydesign(id = ~1, strata = ~cell, fpc = ~M, weights = ~u, data = apistrat)
for (policy in c("certainty", "adjust", "average")) {
  options(survey.lonely.psu = policy)
  for (case in c("total", "mean")) {
    est <- (if (case == "total") svytotal else svymean)(~api00 + enroll + wide, fine, deff = TRUE)
    for (i in 1:3) add(policy, case, "all", names(coef(est))[i], coef(est)[i], SE(est)[i], deff(est)[i])
  }
  r <- svyratio(~api.stu, ~enroll, fine, deff = TRUE)
  add(policy, "ratio", "all", "api.stu/enroll", coef(r), SE(r), attr(r, "deff"))
  t <- svytotal(~api00 + api99, fine)
  g <- svycontrast(t, quote(api00 / api99 - 1))
  add(policy, "contrast", "all", "api00/api99", coef(g), SE(g))
  # A domain with the whole design kept: values are zero outside it, as the linearised variable is.
  fine$variables$part <- fine$variables$enroll * (fine$variables$wide == 1)
  t <- svytotal(~part, fine)
  add(policy, "zeros outside", "1", "enroll", coef(t), SE(t))
}
options(survey.lonely.psu = "fail")
message.of <- tryCatch(svytotal(~api00, fine), error = conditionMessage)
add("fail", gsub(",", ";", message.of), "all", "api00", NA, NA)
put(do.call(rbind, rows), "lonely_expected.csv")
