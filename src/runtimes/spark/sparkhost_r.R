# SPDX-License-Identifier: Apache-2.0
# Runs statements of kind sparkr: the R side of sparkhost_r.py, which starts it and says where:
#
#   SPARKHOST_R_REQUESTS, SPARKHOST_R_REPLIES  the two pipes
#   SPARKHOST_R_FOLDER                         for the code and the plots
#   SPARKHOST_R_LIBRARIES                      where SparkR may be, one folder a line
#
# A request is a line: `JOB_GROUP CONNECTION`, and the code is in the folder's file `code`.
# CONNECTION says what to do about the one to the JVM first: `keep`, `renew` or `attach`. A reply is
# a line, `STATUS SIZE`, and SIZE bytes. What the code prints goes to descriptors 1 and 2.
#
# All of it lives in an environment of its own, above which is base: the user's names cannot hide
# what is used here, nor are ours among theirs. The pipes are opened for each message, so that
# closeAllConnections() in the code does no harm. Interrupts are held back but where code runs.

requests <- Sys.getenv("SPARKHOST_R_REQUESTS")
replies <- Sys.getenv("SPARKHOST_R_REPLIES")
folder <- Sys.getenv("SPARKHOST_R_FOLDER")
libraries <- strsplit(Sys.getenv("SPARKHOST_R_LIBRARIES"), "\n", fixed = TRUE)[[1L]]
backend <- list(port = Sys.getenv("EXISTING_SPARKR_BACKEND_PORT"),
                secret = Sys.getenv("SPARKR_BACKEND_AUTH_SECRET"),
                timeout = as.integer(Sys.getenv("SPARKR_BACKEND_CONNECTION_TIMEOUT")))
Sys.unsetenv(grep("^SPARKHOST_R_", names(Sys.getenv()), value = TRUE))

# ---- messages --------------------------------------------------------------------------------

# R has room for so many connections; those that nobody refers to any more are closed by gc().
open_pipe <- function(path, mode) {
    tryCatch(file(path, mode, raw = TRUE), error = function(full) {
        gc()
        file(path, mode, raw = TRUE)
    })
}

receive <- function() {
    pipe <- open_pipe(requests, "rb")
    on.exit(close(pipe))
    strsplit(readLines(pipe, 1L, warn = FALSE), " ", fixed = TRUE)
}

reply <- function(status, text = "") {
    content <- charToRaw(enc2utf8(text))
    pipe <- open_pipe(replies, "wb")
    on.exit(close(pipe))
    writeBin(c(charToRaw(sprintf("%s %d\n", status, length(content))), content), pipe)
}

# ---- Spark -----------------------------------------------------------------------------------

sparkr <- function(name) get(name, envir = asNamespace("SparkR"))

# Makes the driver's session SparkR's, and gives it the names that it has in Livy.
attach_spark <- function() {
    state <- sparkr(".sparkREnv")
    stale <- intersect(c(".sparkRjsc", ".sparkRsession"), ls(state, all.names = TRUE))
    rm(list = stale, envir = state)
    spark <- sparkr("sparkR.session")(enableHiveSupport = FALSE)
    context <- sparkr("callJStatic")("org.apache.spark.sql.api.r.SQLUtils", "getJavaSparkContext",
                                     spark)
    assign("spark", spark, envir = globalenv())
    assign("sc", context, envir = globalenv())
    assign("sqlContext", sparkr("callJMethod")(spark, "sqlContext"), envir = globalenv())
}

# An interrupt in the middle of a call leaves its answer behind on the connection. Objects of the
# JVM belong to the backend, not to the connection, so they live on.
renew_connection <- function() {
    state <- sparkr(".sparkREnv")
    try(close(state$.sparkRCon), silent = TRUE)
    rm(list = intersect(".sparkRCon", ls(state, all.names = TRUE)), envir = state)
    sparkr("connectBackend")("localhost", backend$port, timeout = backend$timeout,
                             authSecret = backend$secret)
}

# The backend runs all calls of one connection in one thread, whose jobs belong to this group.
set_job_group <- function(group) {
    sparkr("setJobGroup")(group, sub("sparkhost-", "statement ", group, fixed = TRUE), TRUE)
}

# A Spark that cannot be reached does not keep plain R from running; calls to it fail by themselves.
prepare_spark <- function(group, connection) {
    if (connection == "attach") try(attach_spark(), silent = TRUE)
    if (connection == "renew") try(renew_connection(), silent = TRUE)
    tryCatch(set_job_group(group), error = function(unreachable) {
        try({
            renew_connection()
            set_job_group(group)
        }, silent = TRUE)
    })
}

# What SparkR says about itself is not the statement's output.
quietly <- function(expression) {
    utils::capture.output(suppressMessages(expression))
    invisible()
}

# ---- plots -----------------------------------------------------------------------------------

# The device that R opens when code draws and has opened none.
plots <- new.env()
plots$opened <- 0L

open_plot <- function(...) {
    plots$opened <- plots$opened + 1L
    plots$pattern <- file.path(folder, sprintf("plot-%06d-%%06d.png", plots$opened))
    grDevices::png(plots$pattern)
}

# Its last page, if there is one. The device is closed, if the code has not done so.
finish_plot <- function() {
    if (is.null(plots$pattern)) return("")
    for (device in grDevices::dev.list()) {
        if (identical(attr(.Devices[[device]], "filepath"), plots$pattern)) {
            grDevices::dev.off(device)
        }
    }
    start <- sub("%06d.png", "", basename(plots$pattern), fixed = TRUE)
    plots$pattern <- NULL
    pages <- list.files(folder, pattern = paste0("^", start), full.names = TRUE)
    if (length(pages)) max(pages) else ""
}

# ---- code ------------------------------------------------------------------------------------

# Warnings come after the expression that gives them, as at R's prompt, unless options(warn = 1).
warnings <- new.env()
warnings$calls <- list()

keep_warning <- function(warning) {
    call <- without_own(conditionCall(warning))
    level <- getOption("warn")
    if (!level %in% 0:1 || is.null(findRestart("muffleWarning"))) return()
    if (level == 1L) {
        at <- if (is.null(call)) "" else paste0(" in ", deparse(call, nlines = 1L)[1L], " ")
        cat("Warning", at, ": ", conditionMessage(warning), "\n", sep = "", file = stderr())
    } else if (length(warnings$calls) < getOption("nwarnings", 50L)) {
        kept <- list(call)
        names(kept) <- conditionMessage(warning)
        warnings$calls <- c(warnings$calls, kept)
    }
    invokeRestart("muffleWarning")
}

tell_warnings <- function() {
    calls <- warnings$calls
    warnings$calls <- list()
    if (length(calls)) {
        shown <- utils::capture.output(print(structure(calls, class = "warnings")))
        cat(shown, sep = "\n", file = stderr())
    }
}

# Their calls tell that a condition is of the statement itself.
eval_one <- eval
parse_all <- parse

# The call that a condition names, unless it is ours.
without_own <- function(call) {
    is_own <- is.call(call) && is.symbol(call[[1L]]) &&
        as.character(call[[1L]]) %in% c("eval_one", "parse_all")
    if (is_own) NULL else call
}

show_value <- function(value) {
    place <- list2env(list(x = value), parent = globalenv())
    if (isS4(value)) {
        methods::show(value)
    } else {
        eval(quote(base::print(x)), place)
    }
}

run_code <- function(code) {
    for (expression in parse_all(text = code, keep.source = TRUE, encoding = "UTF-8")) {
        result <- withVisible(eval_one(expression, globalenv()))
        assign(".Last.value", result$value, envir = baseenv())
        if (result$visible) show_value(result$value)
        tell_warnings()
    }
}

# As Livy shows it: the message, printed.
error_text <- function(error) {
    call <- without_own(conditionCall(error))
    message <- conditionMessage(error)
    Encoding(message) <- if (validUTF8(message)) "UTF-8" else "bytes"
    text <- as.character(structure(class = c("simpleError", "error", "condition"),
                                   list(message = message, call = call)))
    paste("[1]", encodeString(sub("\n$", "", text), quote = '"'))
}

read_code <- function() {
    path <- file.path(folder, "code")
    code <- rawToChar(readBin(path, "raw", file.size(path)))
    Encoding(code) <- "UTF-8"
    code
}

# Gives what to reply.
execute <- function(group, connection) {
    tryCatch(
        withCallingHandlers(allowInterrupts({
            quietly(suppressWarnings(prepare_spark(group, connection)))
            run_code(read_code())
            c("ok", "")
        }), warning = keep_warning),
        error = function(error) {
            # the message is made by a method, which may be the code's own
            c("error", tryCatch(error_text(error), error = function(nested) error_text(nested)))
        },
        interrupt = function(interrupt) c("interrupted", ""))
}

# An interrupt that came when the statement was already over is not for the next one.
forget_interrupts <- function() {
    tryCatch(allowInterrupts(Sys.sleep(0)), interrupt = function(interrupt) NULL)
}

serve <- function() {
    while (length(request <- receive())) {
        forget_interrupts()
        answer <- execute(request[[1L]][1L], request[[1L]][2L])
        try(tell_warnings(), silent = TRUE)
        plot <- tryCatch(finish_plot(), error = function(error) "")
        reply(answer[1L], if (answer[1L] == "ok") plot else answer[2L])
    }
}

start <- function() {
    .libPaths(c(libraries, .libPaths()))
    suppressPackageStartupMessages(library("SparkR", character.only = TRUE))
    quietly(attach_spark())
    unlockBinding(".Last.value", baseenv())
    options(device = open_plot)
}

suppressed <- character()
problem <- tryCatch(
    withCallingHandlers(start(), warning = function(warning) {
        suppressed <<- c(suppressed, conditionMessage(warning))
        invokeRestart("muffleWarning")
    }),
    error = function(error) error)
if (inherits(problem, "error")) {
    reply("failed", conditionMessage(problem))
} else {
    reply("ready", paste(suppressed, collapse = "\n"))
    suspendInterrupts(serve())
}
quit("no", runLast = FALSE)
