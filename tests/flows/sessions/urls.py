"""The project's URLs, and a form for signed-in users."""

from django.contrib.auth.decorators import login_required
from django.http import JsonResponse
from django.shortcuts import render
from django.urls import include, path


@login_required
def note(request):
    if request.method == "POST":
        return JsonResponse({"received": request.POST.get("text", ""), "who": str(request.user)})
    return render(request, "note.html")


urlpatterns = [
    path("note/", note, name="note"),
    path("", include("sso_project.urls")),
]
