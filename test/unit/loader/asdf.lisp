;;;; Real ASDF as the model that loading is compared with: reads cases from standard input, says what ASDF loads.
;;;;
;;;; A case is (directory ((name (dependency ...)) ...) (((edited ...) failing-or-nil) ...)). For each of its steps a line is
;;;; written: the names in the order in which they were loaded, the one that failed with an exclamation mark.

;;; In this order: ASDF would look for the other one in all that is installed, and compile what it finds.
(require :sb-posix)
(require :asdf)

(defpackage :cases (:use :cl))
(in-package :cases)

(defclass traced (asdf:cl-source-file) ())

(defvar *loaded* '())
(defvar *failing* nil)

(defmethod asdf:perform ((operation asdf:load-source-op) (component traced))
  (let ((name (asdf:component-name component)))
    (cond ((equal name *failing*)
           (push (concatenate 'string "!" name) *loaded*)
           (error "asked to fail"))
          (t (push name *loaded*)))))

;;; ASDF compares times of writing, in seconds: each edit is ten later than the one before, whatever the clock says.
(defvar *now* (+ 1000 (- (get-universal-time) (encode-universal-time 0 0 0 1 1 1970 0))))

(defun edit (file)
  (with-open-file (out file :direction :output :if-exists :supersede)
    (write-line ";; edited" out))
  (incf *now* 10)
  (sb-posix:utimes (namestring file) *now* *now*))

(defun file-of (directory name)
  (merge-pathnames (concatenate 'string name ".lisp") directory))

(defun run-case (number directory components steps)
  (let ((directory (pathname directory))
        (system (format nil "case-~d" number)))
    (dolist (component components)
      (edit (file-of directory (first component))))
    ;; Not defined by a file that ASDF could look for.
    (let ((*load-pathname* nil) (*load-truename* nil))
      (eval `(asdf:defsystem ,system
               :pathname ,directory
               :components ,(loop for (name dependencies) in components
                                  collect `(traced ,name :depends-on ,dependencies)))))
    (loop for (edited failing) in steps
          do (setf *loaded* '() *failing* failing)
             (dolist (name edited) (edit (file-of directory name)))
             (handler-case
                 (let ((*standard-output* (make-broadcast-stream))
                       (*error-output* (make-broadcast-stream)))
                   (asdf:operate 'asdf:load-source-op (asdf:find-system system)))
               (error (condition)
                 (unless (some (lambda (name) (char= (char name 0) #\!)) *loaded*)
                   (format t "error: ~a~%" (substitute #\Space #\Newline (princ-to-string condition))))))
             (format t "~{~a~^ ~}~%" (reverse *loaded*)))
    (asdf:clear-system system)))

(loop for case = (read *standard-input* nil)
      for number from 0
      while case
      do (destructuring-bind (directory components steps) case
           (run-case number directory components steps)))
(finish-output)
