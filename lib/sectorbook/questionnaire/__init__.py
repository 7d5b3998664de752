"""A questionnaire as a form to send out, and the answers as the survey tools export them."""
