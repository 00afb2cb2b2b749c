# Expected quantiles and calibrated estimates of the R package `survey` for its public data set `api`.
# Run in this folder: Rscript make.R. Inputs are those of ../r_survey/apistrat_input.csv; needs version 4.5 of
# the package or later (version.txt says which one it was): 4.1 has other low quantiles in small domains.
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
apistrat$one <- 1
design <- svydesign(id = ~1, strata = ~stype, fpc = ~fpc, data = apistrat)

# Quantiles: Woodruff intervals on the scale of the mean, inverse distribution function.
rows <- list()
for (county in c("all", "1", "18", "36")) {
  part <- if (county == "all") design else subset(design, cnum == as.integer(county))
  for (basis in c("normal", "design")) {
    df <- if (basis == "normal") Inf else degf(part)
    q <- svyquantile(~api00 + enroll + meals, part, c(0.1, 0.25, 0.5, 0.75, 0.9), interval.type = "mean",
      qrule = "math", df = df)
    for (item in names(q)) {
      m <- q[[item]]
      rows[[length(rows) + 1]] <- data.frame(domain = county, basis = basis, item = item,
        prob = as.numeric(rownames(m)), value = m[, 1], lower = m[, 2], upper = m[, 3], se = m[, 4])
    }
  }
}
put(do.call(rbind, rows), "quantile_expected.csv")

# Calibration. Auxiliary variables: 1, api99, one-hot of sch.wide; known totals from the population file.
known <- c(`(Intercept)` = nrow(apipop), api99 = sum(apipop$api99), yes = sum(apipop$sch.wide == "Yes"))
put(data.frame(name = names(known), total = known), "known_totals.csv")
rows <- list()
add <- function(method, domain, kind, est) {
  ci <- confint(est); est.names <- names(coef(est))
  for (i in seq_along(est.names)) rows[[length(rows) + 1]] <<- data.frame(method = method, domain = domain,
    kind = kind, item = est.names[i], value = coef(est)[i], se = SE(est)[i], lower = ci[i, 1], upper = ci[i, 2])
}
weights.table <- list()
record <- function(method, d) {
  weights.table[[method]] <<- weights(d)
  for (county in c("all", "1", "18", "36")) {
    part <- if (county == "all") d else subset(d, cnum == as.integer(county))
    add(method, county, "total", svytotal(~api00 + enroll + api.stu, part))
    add(method, county, "mean", svymean(~api00 + enroll + api.stu, part))
    r <- svyratio(~api.stu, ~enroll, part)
    rows[[length(rows) + 1]] <<- data.frame(method = method, domain = county, kind = "ratio",
      item = "api.stu/enroll", value = coef(r), se = SE(r), lower = confint(r)[1], upper = confint(r)[2])
  }
}
f <- ~api99 + yes
record("linear", calibrate(design, f, known))
record("raking", calibrate(design, f, known, calfun = "raking", epsilon = 1e-13))
record("logit", calibrate(design, f, known, calfun = "logit", bounds = c(0.7, 1.4), epsilon = 1e-13))
record("bounded", calibrate(design, f, known, calfun = "linear", bounds = c(0.97, 1.03), epsilon = 1e-13))
wide <- table(apipop$sch.wide)
margins <- list(~stype, ~yes)
targets <- list(data.frame(stype = c("E", "H", "M"), Freq = c(4400, 770, 1024)),
  data.frame(yes = c(0, 1), Freq = c(known["yes"] * 0 + nrow(apipop) - known["yes"], known["yes"])))
record("rake", rake(design, margins, targets, control = list(maxit = 200, epsilon = 1e-12)))
record("post", postStratify(design, ~yes, targets[[2]]))
put(do.call(rbind, rows), "calibrated_expected.csv")
put(as.data.frame(weights.table), "weights.csv")
